import { type ReactElement, type ReactNode, useCallback, useState } from 'react'
import type { EventJourney } from '../../../src/contracts/index.ts'
import { plural } from '../../common/format.ts'
import { Link, useNavigation } from '../../common/history.tsx'
import { Icon } from '../../common/icons.tsx'
import { useConsole } from '../shell/context.tsx'
import { CopyButton, Empty, RowsSkeleton } from '../shell/parts.tsx'
import { StateMark, type Tone } from '../shell/state-mark.tsx'
import { usePolled } from '../shell/use-polled.ts'
import { journeyPath, lettersPath } from './address.ts'
import { formatMoment } from './moment.ts'
import { OldBanner } from './old-banner.tsx'
import { HubHead } from './tabs.tsx'
import { STOP_LOOKS, toVisible } from './view.ts'

const PERIOD_MS = 3_000

/** What became of one event. */
export function JourneyPage({ eventId }: { eventId: string | null }): ReactElement {
  return (
    <>
      <HubHead page="journey" />
      <Search key={eventId} eventId={eventId ?? ''} />
      {eventId === null ? (
        <Empty heading="Follow one event" data-testid="journey-empty">
          Its id is what publishers are told, what subscribers dedupe by, and the first thing in every dead letter.
        </Empty>
      ) : (
        <Found eventId={eventId} />
      )}
    </>
  )
}

function Search({ eventId }: { eventId: string }): ReactElement {
  const navigation = useNavigation()
  const [text, setText] = useState(eventId)
  return (
    <search>
      <form
        className="filters"
        onSubmit={(event) => {
          event.preventDefault()
          navigation.go(journeyPath(text.trim()))
        }}
      >
        <label className="field field-search hub-journey-search">
          <span className="field-icon">
            <Icon name="search" size={18} />
          </span>
          <span className="hidden-text">Event id</span>
          <input
            type="search"
            placeholder="Event id"
            value={text}
            maxLength={1_000}
            autoComplete="off"
            spellCheck={false}
            data-testid="journey-id"
            onChange={(event) => setText(event.currentTarget.value)}
          />
        </label>
        <button type="submit" className="button button-primary" disabled={text.trim() === ''}>
          Follow it
        </button>
      </form>
    </search>
  )
}

function Found({ eventId }: { eventId: string }): ReactElement {
  const { api } = useConsole()
  const ask = useCallback(() => api.journey(eventId), [api, eventId])
  const polled = usePolled(ask, PERIOD_MS)
  const { value: journey, problem } = polled
  if (journey !== null)
    return (
      <>
        <OldBanner polled={polled} />
        <Timeline journey={journey} />
        <TheEvent event={journey.event} />
      </>
    )
  if (problem === null) return <RowsSkeleton rows={4} />
  return (
    <Empty heading={problem.status === 404 ? 'Not on the log, nor in the archive' : 'The event cannot be looked up'}>
      {problem.status === 404
        ? 'It was never published under this id, or it is older than what is kept. A refused event never gets that far: its publisher was told why.'
        : problem.detail}
    </Empty>
  )
}

function Timeline({ journey }: { journey: EventJourney }): ReactElement {
  const { position, appendedAtMs, pipe, causedBy, stops } = journey
  const event = journey.event as Readonly<Record<string, unknown>> // from the log, checked when it was published
  const met = stops.filter(({ state }) => state !== 'not-matched')
  const others = stops.filter(({ state }) => state === 'not-matched')
  const time = typeof event['time'] === 'string' ? Date.parse(event['time']) : Number.NaN
  return (
    <ol className="journey" data-testid="journey">
      <Step tone="good" word="Published" at={Number.isFinite(time) ? time : null}>
        <b>{text(event['type'])}</b> about {text(event['subject'])}, by {text(event['source'])}
      </Step>
      {pipe === null ? null : (
        <Step tone="good" word="Through a pipe" at={null}>
          <b>{pipe}</b> made it from the record <code>{causedBy ?? 'that is not known'}</code>
        </Step>
      )}
      <Step tone="good" word="On the log" at={appendedAtMs}>
        <code>{position}</code> <CopyButton text={position} name="the position" />
      </Step>
      {met.length === 0 ? (
        <Step tone="idle" word="For nobody" at={null}>
          No subscription's pattern takes it.
        </Step>
      ) : (
        met.map((stop) => <StopStep key={stop.subscription} stop={stop} />)
      )}
      {others.length === 0 ? null : (
        <li className="journey-others">
          <details>
            <summary>{plural(others.length, 'subscription')} did not match</summary>
            <p>{others.map(({ subscription }) => subscription).join(', ')}</p>
          </details>
        </li>
      )}
    </ol>
  )
}

function StopStep({ stop }: { stop: EventJourney['stops'][number] }): ReactElement {
  const { subscription, state, attempts, atMs, reason } = stop
  const { tone, word } = STOP_LOOKS[state]
  return (
    <Step tone={tone} word={word} at={atMs} testid="stop">
      <b>{subscription}</b>
      {attempts === null || attempts === 0 ? null : (
        <span className="hub-quiet"> after {plural(attempts, 'attempt')}</span>
      )}
      {state === 'dead' ? (
        <>
          {' '}
          <Link className="text-link" href={lettersPath({ kind: 'delivery', name: subscription })}>
            its dead letters
          </Link>
        </>
      ) : null}
      {reason === null ? null : <span className="row-reason">{toVisible(reason)}</span>}
    </Step>
  )
}

type StepProps = { tone: Tone; word: string; at: number | null; testid?: string; children: ReactNode }

function Step({ tone, word, at, testid, children }: StepProps): ReactElement {
  return (
    <li className={`journey-${tone}`} data-testid={testid}>
      <div className="journey-head">
        <StateMark tone={tone}>{word}</StateMark>
        {at === null ? null : <time dateTime={new Date(at).toISOString()}>{formatMoment(at)}</time>}
      </div>
      <div className="journey-what">{children}</div>
    </li>
  )
}

function TheEvent({ event }: { event: unknown }): ReactElement {
  const shown = JSON.stringify(event, null, 2)
  return (
    <section className="hub-section" aria-labelledby="event-heading">
      <h2 id="event-heading">The event</h2>
      <div className="panel hub-payload">
        <div className="tail-actions">
          <CopyButton text={shown} name="the event" />
        </div>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
        <pre tabIndex={0}>{toVisible(shown)}</pre>
      </div>
    </section>
  )
}

function text(value: unknown): string {
  return typeof value === 'string' ? toVisible(value) : '–'
}
