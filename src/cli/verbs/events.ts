import { readFile, stat } from 'node:fs/promises'
import type { EventJourney } from '../../contracts/index.ts'
import { DEFAULT_LIMITS, describeError, Fault } from '../../kernel/index.ts'
import { describeJourney, toTime } from '../events/describe-journey.ts'
import { followTail, type TailedEvent } from '../events/follow-tail.ts'
import { parseEvents, toBatches } from '../events/parse-events.ts'
import { toPattern } from '../events/pattern.ts'
import { publishBatch } from '../events/publish-events.ts'
import { toPrintable } from '../printable.ts'
import { findPlatform } from '../staff.ts'
import type { Terminal } from '../terminal.ts'
import { toVerb } from './actions.ts'
import { parseCommand, type Verb } from './command.ts'
import { replay } from './events-replay.ts'

const FILE_BYTES_MAX = 64 * 1024 * 1024

const tail: Verb = async ({ args, environment, terminal }) => {
  const { values } = parseCommand(args, {
    pattern: { type: 'string' },
    topic: { type: 'string' },
    json: { type: 'boolean' },
  })
  const query = new URLSearchParams()
  if (values.pattern !== undefined) query.set('pattern', JSON.stringify(toPattern('--pattern', values.pattern)))
  if (values.topic !== undefined) query.set('topic', values.topic)
  const staff = await findPlatform(environment)
  const stopped = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stopped.abort())
  await followTail(
    staff,
    { query, signal: stopped.signal },
    {
      onEvent: (seen) => terminal.print(values.json ? JSON.stringify(seen) : toLine(seen)),
      onNotice: terminal.complain,
    },
  )
  return 0
}

const publish: Verb = async ({ args, environment, terminal }) => {
  const { values, operands } = parseCommand(
    args,
    { type: { type: 'string' }, subject: { type: 'string' }, json: { type: 'boolean' } },
    ['FILE, or - for standard input'],
  )
  const { type, subject } = values
  const events = parseEvents(await readWhole(operands[0] ?? ''), { type, subject })
  if (events.length === 0) throw new Fault('event-invalid', `expected at least one event in ${operands[0]}, got none`)
  const staff = await findPlatform(environment)
  const { hubRequestEventsMax: eventsMax, hubRequestBytesMax: bytesMax } = DEFAULT_LIMITS
  let done = 0
  for (const batch of toBatches(events, { eventsMax, bytesMax })) {
    try {
      for (const { id, position } of await publishBatch(staff, batch)) {
        terminal.print(values.json ? JSON.stringify({ id, position }) : `published  ${toPrintable(id)}  ${position}`)
        done += 1
      }
    } catch (error) {
      complainOfBatch(terminal, error, { done, refused: batch.length, all: events.length })
      return 1
    }
  }
  return 0
}

const journey: Verb = async ({ args, environment, terminal }) => {
  const { values, operands } = parseCommand(args, { json: { type: 'boolean' } }, ['ID'])
  const staff = await findPlatform(environment)
  const found = await staff.call<EventJourney>('GET', `/hub/v1/journeys/${encodeURIComponent(operands[0] ?? '')}`)
  for (const line of values.json ? [JSON.stringify(found)] : describeJourney(found)) terminal.print(line)
  return 0
}

/** The hub's events: looked at, published, delivered again, followed on their way. */
export const events: Verb = toVerb('events', { tail, publish, replay, journey })

function toLine({ position, appendedAtMs, event }: TailedEvent): string {
  const { type, subject, data, dataref } = event
  const said = dataref === undefined ? (JSON.stringify(data) ?? '') : `data in ${dataref}`
  return toPrintable(`${toTime(appendedAtMs)}  ${position}  ${type}  ${event.id}  ${subject}  ${said}`)
}

async function readWhole(file: string): Promise<string> {
  try {
    const bytes = file === '-' ? await readStandardInput() : await readBounded(file)
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    if (cause instanceof Fault) throw cause
    throw new Fault('file-unreadable', `${file}: expected events as JSON in UTF-8, ${describeError(cause)}`, { cause })
  }
}

async function readBounded(file: string): Promise<Uint8Array> {
  const { size } = await stat(file)
  if (size > FILE_BYTES_MAX) throw tooLarge()
  return readFile(file)
}

async function readStandardInput(): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of process.stdin) {
    chunks.push(chunk as Uint8Array)
    bytes += (chunk as Uint8Array).byteLength
    if (bytes > FILE_BYTES_MAX) throw tooLarge()
  }
  return Buffer.concat(chunks)
}

function tooLarge(): Fault {
  return new Fault('payload-too-large', `expected at most ${FILE_BYTES_MAX} bytes of events; publish them in parts`)
}

type Counts = { readonly done: number; readonly refused: number; readonly all: number }

/** Nothing of a refused batch is on the log; what came before it is. */
function complainOfBatch(terminal: Terminal, error: unknown, { done, refused, all }: Counts): void {
  const said = error instanceof Fault ? error.message : describeError(error)
  for (const line of said.split('\n')) terminal.complain(`tentpole: ${toPrintable(line)}`)
  if (all > 1)
    terminal.complain(
      `tentpole: ${done} of ${all} events were published; none of the ${refused} that were sent together with these${all - done - refused > 0 ? ', and none after them' : ''}`,
    )
}
