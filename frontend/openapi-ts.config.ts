import { defineConfig } from '@hey-api/openapi-ts'

export default defineConfig({
  input: '../openapi.json',
  output: { path: 'src/shared/api/generated' },
  logs: { level: 'error' },
  plugins: [
    { name: '@hey-api/client-axios', throwOnError: true, runtimeConfigPath: './src/shared/api/client' },
    '@hey-api/typescript',
    '@hey-api/sdk',
  ],
})
