import { isPathPrefix, type Network, parseNetwork, signPathToken } from '../../contracts/index.ts'
import { createShortId, DEFAULT_LIMITS } from '../../kernel/index.ts'
import {
  createPathKeysFile,
  decideRotation,
  layoutOf,
  makePathKey,
  PATH_KEY_CALLS,
  type PathKeyInfo,
  type RotationTimes,
  readPathKeysFile,
  toFirstFile,
  tooManyKeys,
  toPathKeyInfos,
  toPathKeys,
  withPathKeysLock,
  writePathKeysFile,
} from '../../roles/index.ts'
import { createWireClient } from '../../wire/index.ts'
import { toDurationMs } from '../duration.ts'
import { findPlatform } from '../staff.ts'
import { toTable } from '../table.ts'
import { UsageError } from '../usage.ts'
import { type Invocation, parseCommand, type Verb } from './command.ts'

const ANSWER_WAIT_MS = 5_000
/** In the place of a cell where there is none: the edge alone has one origin, whoever asks. */
const NO_CELL = '-'
const AT_ONCE: RotationTimes = { leadMs: 0, overlapMs: 0 }

/** The keys of signed addresses: those of the platform that is running, or in a file for the edge alone. */
export const keys: Verb = async (invocation) => {
  const [action = '', ...args] = invocation.args
  const run = Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined
  if (run === undefined)
    throw new UsageError(`keys: expected ${Object.keys(ACTIONS).join(', ')}, got ${JSON.stringify(action)}`)
  return await run({ ...invocation, args })
}

const list: Verb = async (invocation) => {
  const { values } = parseCommand(invocation.args, { file: { type: 'string' }, json: { type: 'boolean' } })
  const found =
    values.file === undefined
      ? await askSupervisor(invocation, PATH_KEY_CALLS.list)
      : toPathKeyInfos(await readPathKeysFile(values.file), Date.now())
  print(invocation, found, values.json)
  return 0
}

const rotate: Verb = async (invocation) => {
  const { values } = parseCommand(invocation.args, {
    now: { type: 'boolean', default: false },
    file: { type: 'string' },
    lead: { type: 'string' },
    overlap: { type: 'string' },
    json: { type: 'boolean' },
  })
  const { now, file, lead, overlap } = values
  if (now && (lead ?? overlap) !== undefined)
    throw new UsageError('--now: expected neither --lead nor --overlap with it')
  if (file === undefined && (lead ?? overlap) !== undefined)
    throw new UsageError('--lead and --overlap are for --file; the platform takes its own from its limits')
  const times = {
    leadMs: toDurationMs('--lead', lead ?? '1m'),
    overlapMs: toDurationMs('--overlap', overlap ?? '1h'),
  }
  const rotated =
    file === undefined
      ? await askSupervisor(invocation, now ? PATH_KEY_CALLS.rotateNow : PATH_KEY_CALLS.rotate)
      : await rotateFile(file, now ? AT_ONCE : times)
  print(invocation, rotated, values.json)
  return 0
}

const create: Verb = async (invocation) => {
  const { operands } = parseCommand(invocation.args, {}, ['FILE'])
  const [path = ''] = operands
  const file = toFirstFile(makePathKey(), Date.now())
  await createPathKeysFile(path, file)
  print(invocation, toPathKeyInfos(file, Date.now()), false)
  return 0
}

const sign: Verb = async ({ args, terminal }) => {
  const { values } = parseCommand(args, {
    file: { type: 'string' },
    prefix: { type: 'string' },
    for: { type: 'string', default: '1h' },
    session: { type: 'string' },
    network: { type: 'string' },
  })
  if (values.file === undefined) throw new UsageError('expected --file FILE, as "tentpole keys create" makes it')
  const nowMs = Date.now()
  const claims = {
    prefix: toPrefix(values.prefix ?? ''),
    expiresAtS: Math.ceil((nowMs + toDurationMs('--for', values.for)) / 1000),
    sessionId: toSession(values.session ?? createShortId()),
    cell: NO_CELL,
    network: values.network === undefined ? null : toNetwork(values.network),
  }
  terminal.print(signPathToken(toPathKeys(await readPathKeysFile(values.file), nowMs), claims))
  return 0
}

const ACTIONS: Readonly<Record<string, Verb>> = { list, rotate, create, sign }

async function askSupervisor({ environment }: Invocation, call: string): Promise<PathKeyInfo[]> {
  const { home } = await findPlatform(environment)
  const client = createWireClient({ path: layoutOf(home).supervisorSocket, limits: DEFAULT_LIMITS })
  try {
    const answer = await client.call(Buffer.from(call), { timeoutMs: ANSWER_WAIT_MS })
    return JSON.parse(Buffer.from(answer).toString()) as PathKeyInfo[] // the supervisor's own words
  } finally {
    client.close()
  }
}

async function rotateFile(path: string, times: RotationTimes): Promise<PathKeyInfo[]> {
  // A path at which there is nothing is said before a lock is left beside it.
  await readPathKeysFile(path)
  return withPathKeysLock(path, async () => {
    const nowMs = Date.now()
    const keysMax = DEFAULT_LIMITS.pathKeysMax
    const rotation = decideRotation(await readPathKeysFile(path), nowMs, { ...times, next: makePathKey(), keysMax })
    if (!rotation.ok) throw tooManyKeys(keysMax)
    await writePathKeysFile(path, rotation.file)
    return toPathKeyInfos(rotation.file, nowMs)
  })
}

function print({ terminal }: Invocation, found: readonly PathKeyInfo[], asJson: boolean | undefined): void {
  if (asJson) {
    terminal.print(JSON.stringify(found))
    return
  }
  const rows = found.map(({ id, state, createdAtMs, signsFromMs, verifiesUntilMs }) => [
    id,
    state,
    toTime(createdAtMs),
    toTime(signsFromMs),
    verifiesUntilMs === null ? 'rotated' : toTime(verifiesUntilMs),
  ])
  for (const line of toTable(['key', 'state', 'made', 'signs from', 'verifies until'], rows)) terminal.print(line)
}

/** 0 is what a key of before they had times says. */
const toTime = (atMs: number): string => (atMs === 0 ? '-' : new Date(atMs).toISOString())

function toPrefix(text: string): string {
  if (isPathPrefix(text)) return text
  throw new UsageError(
    `--prefix: expected a path such as /films/x/ or /films/x.mp4: no empty, "." or ".." segment, no "~", what is not plain ASCII percent-encoded in upper case (%C3%A9), nothing else encoded; got ${JSON.stringify(text)}`,
  )
}

function toSession(text: string): string {
  if (/^[A-Za-z0-9_.:-]{1,64}$/.test(text)) return text
  throw new UsageError(`--session: expected 1 to 64 of A-Z a-z 0-9 _ . : -, got ${JSON.stringify(text)}`)
}

function toNetwork(text: string): Network {
  const network = parseNetwork(text)
  if (network !== null) return network
  throw new UsageError(
    `--network: expected a network such as 192.0.2.0/24 or 2001:db8::/32, no bit set beyond its prefix, got ${JSON.stringify(text)}`,
  )
}
