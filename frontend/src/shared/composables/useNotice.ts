/** Short messages that come and go: `done` for what worked, `failed` for a call that did not. */
import { useToast } from '@nuxt/ui/composables'
import { useProblem } from './useProblem'

export function useNotice() {
  const toast = useToast()
  const { tell } = useProblem()

  return {
    done: (title: string, description?: string) =>
      toast.add({ title, description, color: 'success', icon: 'i-lucide-circle-check' }),
    /** What worked and can be taken back for a moment; answers with what takes the word away. */
    undoable: (title: string, label: string, undo: () => void, duration = 10_000) => {
      const { id } = toast.add({
        title,
        color: 'success',
        icon: 'i-lucide-circle-check',
        duration,
        actions: [{ label, color: 'neutral', variant: 'outline', icon: 'i-lucide-undo-2', onClick: undo }],
      })
      return () => toast.remove(id)
    },
    failed: (error: unknown) => {
      const problem = tell(error)
      // The change of account itself was said; what the earlier account still waited for is of no use to this one.
      if (problem.code === 'account_changed') return
      const first = Object.values(problem.errors)[0]?.[0]
      toast.add({
        title: problem.title,
        description: first,
        color: 'error',
        icon: 'i-lucide-circle-alert',
        duration: 8000,
      })
    },
  }
}
