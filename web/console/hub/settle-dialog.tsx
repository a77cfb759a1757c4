import { type ReactElement, useState } from 'react'
import type { DeadLetter } from '../../../src/contracts/index.ts'
import { plural } from '../../common/format.ts'
import { useConsole } from '../shell/context.tsx'
import { Dialog } from '../shell/dialog.tsx'

export type How = 'redrive' | 'discard'
export type Settling = { readonly how: How; readonly letters: readonly DeadLetter[] }

const WORDS: Readonly<Record<How, { verb: string; done: string; effect: string }>> = {
  redrive: {
    verb: 'Redrive',
    done: 'redriven',
    effect: 'goes on its way once more; what fails again becomes a dead letter again.',
  },
  discard: {
    verb: 'Discard',
    done: 'discarded',
    effect: 'is never delivered any more. It stays in the list as discarded.',
  },
}

type DialogProps = {
  /** Null: nothing is asked. */
  readonly settling: Settling | null
  readonly onClose: () => void
  /** In a sentence, for who asked; whether all of it was done. */
  readonly onDone: (outcome: { readonly text: string; readonly ok: boolean }) => void
}

/** Asks once, names what it touches, and says what came of it: one after the other, to the end. */
export function SettleDialog({ settling, onClose, onDone }: DialogProps): ReactElement | null {
  if (settling === null) return null
  const onEnd: DialogProps['onDone'] = (outcome) => {
    onClose()
    onDone(outcome)
  }
  return <Question settling={settling} onClose={onClose} onDone={onEnd} />
}

function Question({ settling, onClose, onDone }: DialogProps & { readonly settling: Settling }): ReactElement {
  const { api } = useConsole()
  const { how, letters } = settling
  const { verb, done, effect } = WORDS[how]
  const [settled, setSettled] = useState<number | null>(null)
  const settle = async (): Promise<void> => {
    const problems: string[] = []
    for (const [at, { id }] of letters.entries()) {
      setSettled(at)
      const answer = await api.settleDeadLetter(id, how)
      if (!answer.ok) problems.push(answer.problem.detail)
    }
    const count = letters.length - problems.length
    const [first] = problems
    const failed = first === undefined ? '' : ` ${plural(problems.length, 'letter')} could not be: ${first}`
    onDone({ text: `${plural(count, 'dead letter')} ${done}.${failed}`, ok: problems.length === 0 })
  }
  const names = [...new Set(letters.map(({ name }) => name))]
  const what = letters.length === 1 ? 'this dead letter' : `these ${plural(letters.length, 'dead letter')}`
  return (
    <Dialog heading={`${verb} ${what}?`} onClose={onClose}>
      <div className="dialog-form">
        <p>
          Of {names.slice(0, 5).join(', ')}
          {names.length > 5 ? ` and ${names.length - 5} more` : ''}. {letters.length === 1 ? 'It' : 'Each'} {effect}
        </p>
        {settled === null ? null : (
          <p role="status">
            {settled} of {letters.length} …
          </p>
        )}
        <div className="dialog-actions">
          <button type="button" className="button" disabled={settled !== null} onClick={onClose}>
            Leave {letters.length === 1 ? 'it' : 'them'}
          </button>
          <button
            type="button"
            className={how === 'discard' ? 'button button-danger' : 'button button-primary'}
            disabled={settled !== null}
            data-testid="settle-confirm"
            onClick={() => void settle()}
          >
            {verb}
          </button>
        </div>
      </div>
    </Dialog>
  )
}

/** What came of it. */
export function Outcome({ outcome }: { outcome: { text: string; ok: boolean } | null }): ReactElement {
  return (
    <div role="status" data-testid="settle-outcome">
      {outcome === null ? null : <p className={outcome.ok ? 'banner hub-done' : 'banner banner-bad'}>{outcome.text}</p>}
    </div>
  )
}
