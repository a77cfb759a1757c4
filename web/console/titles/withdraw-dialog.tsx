import { type ReactElement, useState } from 'react'
import type { StaffTitle } from '../../../src/contracts/index.ts'
import { useConsole } from '../shell/context.tsx'
import { Dialog } from '../shell/dialog.tsx'

/** Asks once, and says what it touches: nobody can watch the title any more, and it cannot be taken back. */
export function WithdrawDialog({ title, onClose }: { title: StaffTitle; onClose: () => void }): ReactElement {
  const { api, live } = useConsole()
  const [reason, setReason] = useState('')
  const [state, setState] = useState<{ sending: boolean; problem: string | null }>({ sending: false, problem: null })
  const withdraw = async (): Promise<void> => {
    setState({ sending: true, problem: null })
    const answer = await api.withdraw(title.id, reason)
    if (!answer.ok) return setState({ sending: false, problem: answer.problem.detail })
    live.tell({ type: 'title', title: answer.value })
    onClose()
  }
  return (
    <Dialog heading={`Withdraw “${title.name}”?`} onClose={onClose}>
      <form
        className="dialog-form"
        onSubmit={(event) => {
          event.preventDefault()
          void withdraw()
        }}
      >
        <p>
          Nobody gets another second of it after 5 seconds, also who is watching now. It cannot be undone: to bring the
          film back, upload it again.
        </p>
        <label className="field-block">
          Reason, for the record
          <input
            type="text"
            maxLength={500}
            value={reason}
            data-testid="withdraw-reason"
            onChange={(event) => setReason(event.currentTarget.value)}
          />
        </label>
        {state.problem === null ? null : (
          <p className="form-problem" role="alert">
            {state.problem}
          </p>
        )}
        <div className="dialog-actions">
          <button type="button" className="button" onClick={onClose}>
            Keep it
          </button>
          <button
            type="submit"
            className="button button-danger"
            disabled={state.sending}
            data-testid="withdraw-confirm"
          >
            Withdraw it
          </button>
        </div>
      </form>
    </Dialog>
  )
}
