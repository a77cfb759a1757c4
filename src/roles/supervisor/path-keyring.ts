import type { PathKeys } from '../../contracts/index.ts'
import { type Clock, describeError, Fault, type Limits, type Logger, systemClock } from '../../kernel/index.ts'
import {
  decideRotation,
  makePathKey,
  nextTransitionMs,
  type PathKeyInfo,
  type PathKeysFile,
  rotationTimesOf,
  toPathKeyInfos,
  toPathKeys,
} from './path-keys.ts'
import { writePathKeysFile } from './path-keys-file.ts'

/** A running platform's path keys. */
export type PathKeyring = {
  current(): PathKeys
  list(): PathKeyInfo[]
  /**
   * On disk before any role hears of it. `atOnce`: the keys before it verify no more. Rejects when the file cannot be
   * written, and then nothing has changed; fault `too-many-path-keys`.
   */
  rotate(options: { readonly atOnce: boolean }): Promise<PathKeyInfo[]>
  close(): void
}

/** A timer's longest wait; a clock that was set meanwhile is noticed then. */
const TIMER_MS_MAX = 60_000

/** Turns keys over as their times come: `onChange` is called after each change, with what `current` gives from then on. */
export function createPathKeyring(options: {
  readonly path: string
  readonly file: PathKeysFile
  readonly limits: Pick<Limits, 'pathKeyLeadMs' | 'pathTokenTtlMs' | 'pathTokenGraceMs' | 'pathKeysMax'>
  readonly logger: Logger
  readonly onChange: (keys: PathKeys) => void
  readonly clock?: Clock
}): PathKeyring {
  const { path, limits, logger, onChange, clock = systemClock } = options
  let file = options.file
  let keys = toPathKeys(file, clock.nowMs())
  let timer: ReturnType<typeof setTimeout> | undefined
  let isClosed = false

  const schedule = (): void => {
    clearTimeout(timer)
    const nowMs = clock.nowMs()
    const atMs = nextTransitionMs(file, nowMs)
    if (atMs === null || isClosed) return
    timer = setTimeout(turn, Math.min(TIMER_MS_MAX, Math.max(1, atMs - nowMs)))
    timer.unref()
  }
  const turn = (): void => {
    const now = toPathKeys(file, clock.nowMs())
    if (JSON.stringify(now) !== JSON.stringify(keys)) {
      keys = now
      logger.info('the path keys changed', { signs: now.current, verify: Object.keys(now.keys).join(' ') })
      onChange(now)
    }
    schedule()
  }

  const rotate = async (atOnce: boolean): Promise<PathKeyInfo[]> => {
    const times = atOnce ? { leadMs: 0, overlapMs: 0 } : rotationTimesOf(limits)
    const rotation = decideRotation(file, clock.nowMs(), { ...times, next: makePathKey(), keysMax: limits.pathKeysMax })
    if (!rotation.ok) throw tooManyKeys(limits.pathKeysMax)
    await writePathKeysFile(path, rotation.file).catch((error: unknown) => {
      throw new Fault(
        'path-keys-unwritten',
        `${path} cannot be written: ${describeError(error)}; nothing has changed`,
        {
          cause: error,
        },
      )
    })
    file = rotation.file
    turn()
    return toPathKeyInfos(file, clock.nowMs())
  }

  let last: Promise<unknown> = Promise.resolve()
  schedule()
  return {
    current: () => keys,
    list: () => toPathKeyInfos(file, clock.nowMs()),
    rotate({ atOnce }) {
      // One after the other: each adds to the file that the one before it wrote.
      const mine = last.then(() => rotate(atOnce))
      last = mine.catch(() => {})
      return mine
    },
    close() {
      isClosed = true
      clearTimeout(timer)
    },
  }
}

/** Said by the supervisor and by the command that rotates a file. */
export function tooManyKeys(keysMax: number): Fault {
  return new Fault(
    'too-many-path-keys',
    `expected fewer than ${keysMax} keys that still verify; wait until the oldest is retired, or rotate with --now if keys have leaked`,
  )
}
