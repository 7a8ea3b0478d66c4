import { fileURLToPath } from 'node:url'
import ui from '@nuxt/ui/vite'
import vue from '@vitejs/plugin-vue'
import { defineConfig, type Plugin } from 'vitest/config'

const api = process.env.DOORSTEP_API ?? 'http://127.0.0.1:5000'
/** What a browser may open as a page lives under /app/; everything else belongs to the API. */
const proxied = `^/(?!app(/|$)|@|src/|node_modules/).+`

/** Nuxt UI writes its colours into an inline <style> at run time, which a strict policy refuses: ours are in colours.css. */
function staticColours(): Plugin {
  return {
    name: 'doorstep:static-colours',
    enforce: 'pre',
    load(id) {
      if (/@nuxt\/ui\/dist\/runtime\/(plugins\/colors|vue\/plugins\/head)\.js/.test(id)) return 'export default { install() {} }'
    },
  }
}

export default defineConfig({
  base: '/app/',
  plugins: [
    staticColours(),
    vue(),
    ui({
      autoImport: false,
      components: { dts: false },
      colorMode: false,
      experimental: { componentDetection: true },
      icon: { clientBundle: { scan: true } },
      theme: {
        colors: ['primary', 'secondary', 'success', 'info', 'warning', 'error'],
        defaultVariants: { size: 'lg' },
      },
      ui: {
        colors: { primary: 'peacock', secondary: 'marigold', neutral: 'sand', warning: 'marigold' },
        button: { slots: { base: 'font-semibold justify-center' } },
        card: { slots: { root: 'rounded-xl', body: 'p-4 sm:p-5' } },
        formField: { slots: { label: 'font-semibold', error: 'text-(--ui-error) font-medium' } },
        toast: { slots: { title: 'font-semibold' } },
      },
    }),
  ],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  build: {
    target: 'es2022',
    manifest: true,
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 600,
  },
  server: { host: '127.0.0.1', proxy: { [proxied]: { target: api, changeOrigin: false } } },
  test: {
    environment: 'happy-dom',
    environmentOptions: { happyDOM: { url: 'http://localhost:5000/app/' } },
    include: ['src/**/*.spec.ts'],
    setupFiles: ['src/shared/testing/setup.ts'],
    maxWorkers: 2,
  },
})
