/** Short messages that disappear by themselves: `success` for what worked, `error` for a call that failed. */
import { useToast } from '@nuxt/ui/composables'
import { useProblem } from './useProblem'

export function useToasts() {
  const toast = useToast()
  const { tell } = useProblem()

  return {
    success: (title: string, description?: string) =>
      toast.add({ title, description, color: 'success', icon: 'i-lucide-circle-check' }),
    /** Report a success that can be undone for a short time; returns a function that removes the message. */
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
    error: (error: unknown) => {
      const problem = tell(error)
      // The change of account was reported already; failures of the earlier account's calls do not concern this one.
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
