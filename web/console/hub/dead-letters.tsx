import { type ReactElement, useCallback, useState } from 'react'
import type { DeadLetter } from '../../../src/contracts/index.ts'
import { formatAgo, plural } from '../../common/format.ts'
import { Link, useLocation, useNavigation } from '../../common/history.tsx'
import { useConsole, useNow } from '../shell/context.tsx'
import { Empty, RowsSkeleton } from '../shell/parts.tsx'
import { StateMark } from '../shell/state-mark.tsx'
import { usePolled } from '../shell/use-polled.ts'
import {
  FIRST_LETTERS,
  LETTER_KINDS,
  LETTER_STATES,
  type LettersView,
  letterPath,
  lettersPath,
  parseLettersView,
} from './address.ts'
import { OldBanner } from './old-banner.tsx'
import { type How, Outcome, SettleDialog, type Settling } from './settle-dialog.tsx'
import { HubHead } from './tabs.tsx'
import { LETTER_TONES, toVisible } from './view.ts'

const PERIOD_MS = 5_000
const PAGE_ROWS = 50
const ROWS_MAX = 500

/** What could not be delivered, and what pipes refused. */
export function DeadLettersPage(): ReactElement {
  const { api } = useConsole()
  const { state, kind, name } = parseLettersView(useLocation())
  const [max, setMax] = useState(PAGE_ROWS)
  const [settling, setSettling] = useState<Settling | null>(null)
  const [outcome, setOutcome] = useState<{ text: string; ok: boolean } | null>(null)
  const ask = useCallback(() => api.deadLetters({ state, kind, name, max }), [api, state, kind, name, max])
  const polled = usePolled(ask, PERIOD_MS)
  const { value, problem, again } = polled
  return (
    <>
      <HubHead page="dead-letters" />
      <OldBanner polled={polled} />
      <Filters view={{ state, kind, name }} letters={value?.deadLetters ?? null} onSettle={setSettling} />
      <Outcome outcome={outcome} />
      {value !== null ? (
        <Letters letters={value.deadLetters} view={{ state, kind, name }} />
      ) : problem !== null ? (
        <Empty heading="The dead letters cannot be had">{problem.detail} They are asked for again by itself.</Empty>
      ) : (
        <RowsSkeleton rows={5} />
      )}
      {value === null || value.next === null ? null : max < ROWS_MAX ? (
        <p className="hub-note">
          <button type="button" className="button" onClick={() => setMax(Math.min(ROWS_MAX, max + 150))}>
            Show more
          </button>
        </p>
      ) : (
        <p className="hub-note">The newest {ROWS_MAX}. Narrow them, or see npx tentpole dead-letters list.</p>
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

type FiltersProps = {
  readonly view: LettersView
  readonly letters: readonly DeadLetter[] | null
  readonly onSettle: (settling: Settling) => void
}

function Filters({ view, letters, onSettle }: FiltersProps): ReactElement {
  const navigation = useNavigation()
  const change = (fields: Partial<LettersView>): void =>
    navigation.go(lettersPath({ ...view, ...fields }), { replace: true })
  const open = letters?.filter(({ state }) => state === 'open') ?? []
  const offer = (how: How, word: string): ReactElement => (
    <button
      type="button"
      className={how === 'discard' ? 'button button-danger' : 'button'}
      disabled={open.length === 0}
      data-testid={`${how}-shown`}
      onClick={() => onSettle({ how, letters: open })}
    >
      {word}
    </button>
  )
  return (
    <search className="filters">
      <Choice
        label="State"
        value={view.state ?? 'all'}
        options={['all', ...LETTER_STATES]}
        all="All states"
        onChoose={(value) => change({ state: LETTER_STATES.find((state) => state === value) ?? null })}
      />
      <Choice
        label="Kind"
        value={view.kind ?? 'all'}
        options={['all', ...LETTER_KINDS]}
        all="All kinds"
        onChoose={(value) => change({ kind: LETTER_KINDS.find((kind) => kind === value) ?? null })}
      />
      <label className="field">
        <span className="hidden-text">Subscription or pipe</span>
        <input
          type="search"
          placeholder="Subscription or pipe"
          value={view.name}
          maxLength={63}
          data-testid="letters-name"
          onChange={(event) => change({ name: event.currentTarget.value.trim() })}
        />
      </label>
      <div className="hub-settle">
        {offer('redrive', open.length === 0 ? 'Redrive' : `Redrive ${open.length} shown`)}
        {offer('discard', open.length === 0 ? 'Discard' : `Discard ${open.length} shown`)}
      </div>
    </search>
  )
}

type ChoiceProps = {
  label: string
  value: string
  options: readonly string[]
  all: string
  onChoose: (value: string) => void
}

function Choice({ label, value, options, all, onChoose }: ChoiceProps): ReactElement {
  return (
    <label className="field">
      <span className="hidden-text">{label}</span>
      <select
        value={value}
        data-testid={`letters-${label.toLowerCase()}`}
        onChange={(event) => onChoose(event.currentTarget.value)}
      >
        {options.map((option) => (
          <option key={option} value={option}>
            {option === 'all' ? all : option}
          </option>
        ))}
      </select>
    </label>
  )
}

function Letters({ letters, view }: { letters: readonly DeadLetter[]; view: LettersView }): ReactElement {
  const nowMs = useNow()
  if (letters.length === 0) return <NoLetters view={view} />
  return (
    <div className="table-window panel">
      <table className="hub-table hub-letters" data-testid="dead-letters">
        <thead>
          <tr>
            <th scope="col" className="hub-col-name">
              What and why
            </th>
            <th scope="col">State</th>
            <th scope="col">Of</th>
            <th scope="col">Key</th>
            <th scope="col" className="cell-number">
              Attempts
            </th>
            <th scope="col" className="cell-number">
              Died
            </th>
          </tr>
        </thead>
        <tbody>
          {letters.map((letter) => (
            <LetterRow key={letter.id} letter={letter} nowMs={nowMs} />
          ))}
        </tbody>
      </table>
    </div>
  )
}

function LetterRow({ letter, nowMs }: { letter: DeadLetter; nowMs: number }): ReactElement {
  const { id, type, code, reason, state, kind, name, key, attempts, deadAtMs } = letter
  return (
    <tr data-testid="dead-letter" data-id={id} data-state={state}>
      <th scope="row">
        <Link className="row-link" href={letterPath(id)}>
          {type ?? code}
        </Link>
        <span className="row-reason">{toVisible(reason)}</span>
      </th>
      <td>
        <StateMark tone={LETTER_TONES[state]}>{state}</StateMark>
      </td>
      <td data-label={kind === 'pipe' ? 'Pipe' : 'Subscription'}>
        <span className="row-name">{name}</span>
        <span className="row-file hub-wide">{kind === 'pipe' ? 'pipe' : 'subscription'}</span>
      </td>
      <td data-label="Key" className="hub-key" title={toVisible(key)}>
        {toVisible(key)}
      </td>
      <td data-label="Attempts" className="cell-number">
        {attempts}
      </td>
      <td data-label="Died" className="cell-number">
        {formatAgo(deadAtMs, nowMs)}
      </td>
    </tr>
  )
}

function NoLetters({ view }: { view: LettersView }): ReactElement {
  const isFirst = lettersPath(view) === lettersPath(FIRST_LETTERS)
  return (
    <Empty heading={isFirst ? 'No dead letters' : 'Nothing matches'} data-testid="letters-empty">
      {isFirst ? (
        'Everything that was published reached those it was for, or is still being tried.'
      ) : (
        <>
          There are {plural(0, 'letter')} of that kind.{' '}
          <Link className="text-link" href={lettersPath({ state: null })}>
            Show all
          </Link>
        </>
      )}
    </Empty>
  )
}
