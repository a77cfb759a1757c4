import { type ReactElement, type ReactNode, useCallback, useState } from 'react'
import { formatBytes } from '../../common/format.ts'
import { Link } from '../../common/history.tsx'
import { Icon } from '../../common/icons.tsx'
import type { ShownLetter } from '../api.ts'
import { useConsole } from '../shell/context.tsx'
import { CopyButton, Empty, RowsSkeleton } from '../shell/parts.tsx'
import { StateMark } from '../shell/state-mark.tsx'
import { usePolled } from '../shell/use-polled.ts'
import { journeyPath, lettersPath } from './address.ts'
import { formatMoment } from './moment.ts'
import { OldBanner } from './old-banner.tsx'
import { Outcome, SettleDialog, type Settling } from './settle-dialog.tsx'
import { HubHead } from './tabs.tsx'
import { LETTER_TONES, layOut, toVisible } from './view.ts'

const PERIOD_MS = 5_000

/** One dead letter: why it is one, what was in it, and what can be done with it. */
export function DeadLetterPage({ letterId }: { letterId: string }): ReactElement {
  const { api } = useConsole()
  const ask = useCallback(() => api.deadLetter(letterId), [api, letterId])
  const polled = usePolled(ask, PERIOD_MS)
  const [settling, setSettling] = useState<Settling | null>(null)
  const [outcome, setOutcome] = useState<{ text: string; ok: boolean } | null>(null)
  const { value: letter, problem, again } = polled
  return (
    <>
      <HubHead page="dead-letter" />
      <Link className="crumb" href={lettersPath()}>
        <Icon name="back" size={16} /> All dead letters
      </Link>
      <OldBanner polled={polled} />
      <Outcome outcome={outcome} />
      {letter !== null ? (
        <>
          <Facts letter={letter} onSettle={setSettling} />
          <Payload letter={letter} />
        </>
      ) : problem !== null ? (
        <Empty heading={problem.status === 404 ? 'There is no such dead letter' : 'The dead letter cannot be had'}>
          {problem.detail}
        </Empty>
      ) : (
        <RowsSkeleton rows={4} />
      )}
      <SettleDialog
        settling={settling}
        onClose={() => setSettling(null)}
        onDone={(done) => {
          setOutcome(done)
          again()
        }}
      />
    </>
  )
}

function Facts({ letter, onSettle }: { letter: ShownLetter; onSettle: (settling: Settling) => void }): ReactElement {
  const { id, kind, name, eventId, type, key, position, code, reason, attempts, state } = letter
  return (
    <section className="panel hub-letter" aria-labelledby="letter-heading">
      <div className="hub-letter-head">
        <h2 id="letter-heading">{type ?? 'A record that is no event'}</h2>
        <StateMark tone={LETTER_TONES[state]}>{state}</StateMark>
        {state === 'open' ? (
          <div className="hub-settle">
            <button
              type="button"
              className="button button-primary"
              data-testid="redrive"
              onClick={() => onSettle({ how: 'redrive', letters: [letter] })}
            >
              Redrive
            </button>
            <button
              type="button"
              className="button button-danger"
              data-testid="discard"
              onClick={() => onSettle({ how: 'discard', letters: [letter] })}
            >
              Discard
            </button>
          </div>
        ) : null}
      </div>
      <p className="hub-reason">{toVisible(reason)}</p>
      <dl className="facts-list">
        <Fact name={kind === 'pipe' ? 'Pipe' : 'Subscription'}>{name}</Fact>
        <Fact name="Code">
          <code>{code}</code>
        </Fact>
        <Fact name="Attempts">{attempts}</Fact>
        <Fact name="Failed first">{formatMoment(letter.firstFailedAtMs)}</Fact>
        <Fact name="Died">{formatMoment(letter.deadAtMs)}</Fact>
        <Fact name="Key">{toVisible(key)}</Fact>
        <Fact name="Position">
          <code>{position}</code>
        </Fact>
        {eventId === null ? null : (
          <Fact name="Event">
            <Link className="text-link" href={journeyPath(eventId)}>
              {toVisible(eventId)}
            </Link>
          </Fact>
        )}
        <Fact name="Id">
          <code>{id}</code> <CopyButton text={id} name="the id" />
        </Fact>
      </dl>
    </section>
  )
}

function Fact({ name, children }: { name: string; children: ReactNode }): ReactElement {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

/** Always as text, whatever is in it. */
function Payload({ letter: { payload, encoding, bytes, claim } }: { letter: ShownLetter }): ReactElement {
  return (
    <section className="hub-section" aria-labelledby="payload-heading">
      <h2 id="payload-heading">Payload</h2>
      {payload === null ? (
        <NoPayload claim={claim?.ref ?? null} bytes={bytes} />
      ) : (
        <div className="panel hub-payload">
          <div className="tail-actions">
            <span className="hub-note">
              {formatBytes(bytes)}
              {encoding === 'base64' ? ', no text: shown in base64' : ''}
            </span>
            <CopyButton text={payload} name="the payload" />
          </div>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
          <pre tabIndex={0} data-testid="payload">
            {toVisible(encoding === 'text' ? layOut(payload) : payload)}
          </pre>
        </div>
      )}
    </section>
  )
}

function NoPayload({ claim, bytes }: { claim: string | null; bytes: number }): ReactElement {
  if (claim === null)
    return <Empty heading="It is not there any more">The log has forgotten it, or its object was removed.</Empty>
  return (
    <Empty heading={`${formatBytes(bytes)}, kept as an object`}>
      Too large to be shown here.{' '}
      <a className="text-link" href={`/hub/v1/payloads/${claim}`} download>
        Download it
      </a>
    </Empty>
  )
}
