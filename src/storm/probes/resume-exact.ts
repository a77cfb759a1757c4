import { createId, pause } from '../../kernel/index.ts'
import type { Got } from './answer.ts'
import type { Listed, Visitor } from './client.ts'
import { type Probe, type ProbeParts, persist, pickOne } from './probe.ts'

/** A position that was acknowledged and is waited for. */
export type Waiting = {
  readonly positionMs: number
  /** Since when the cell has been answering without a break; null while it is not. */
  readonly answeringSinceMs: number | null
}
export type Seen = { readonly state: 'settled' | 'waiting' | 'wrong' | 'gone'; readonly next: Waiting }

/** After one look. What fails in passing begins the time anew: a cell that is away cannot know better. */
export function decideResume(waiting: Waiting, got: Got<number | null>, nowMs: number, withinMs: number): Seen {
  if (got.kind === 'fine') {
    if (got.value === waiting.positionMs) return { state: 'settled', next: waiting }
    const answeringSinceMs = waiting.answeringSinceMs ?? nowMs
    const state = nowMs - answeringSinceMs >= withinMs ? 'wrong' : 'waiting'
    return { state, next: { ...waiting, answeringSinceMs } }
  }
  if (got.kind === 'passing') return { state: 'waiting', next: { ...waiting, answeringSinceMs: null } }
  return { state: 'gone', next: waiting }
}

/** An odd position in the first 90% of a film: one that nobody has by chance, and that is not taken for the end. */
export function choosePosition(random: () => number, durationMs: number): number {
  return 1 + 2 * Math.floor(random() * Math.max(1, durationMs * 0.45 - 1))
}

type Kept = { readonly visitor: Visitor; readonly title: Listed; readonly positionMs: number }

/** Viewers who stop somewhere and look where they would go on, at once and again later. */
export function createResumeExact(parts: ProbeParts): Probe {
  const { client, findings, limits, people, random, nowMs, stopped } = parts
  const kept: Kept[] = []

  /** A viewer who has just stopped at a position that was acknowledged. */
  const stopSomewhere = async (): Promise<Kept | null> => {
    const who = pickOne(random, people)
    const met = who === null ? null : await client.session(who)
    if (met?.kind !== 'fine') return null
    const visitor = met.value
    const home = await client.home(visitor)
    const title = home.kind === 'fine' ? pickOne(random, home.value) : null
    const started = title === null ? null : await client.playback(visitor, title.id)
    if (title === null || started?.kind !== 'fine') return null
    const positionMs = choosePosition(random, title.durationMs)
    const { sessionId } = started.value
    const signal = { id: createId(), sessionId, titleId: title.id, kind: 'progress', positionMs } as const
    const told = await persist(parts, () => client.signal(visitor, signal))
    return told.kind === 'fine' ? { visitor, title, positionMs } : null
  }

  const waitFor = async ({ visitor, title, positionMs }: Kept): Promise<Seen['state']> => {
    let waiting: Waiting = { positionMs, answeringSinceMs: nowMs() }
    for (;;) {
      const got = await client.resumeMs(visitor, title.id)
      const { state, next } = decideResume(waiting, got, nowMs(), limits.resumeWithinMs)
      waiting = next
      if (state === 'wrong' && got.kind === 'fine')
        findings.violated(
          `${visitor.viewerId} never`,
          `${describe({ visitor, title, positionMs })}, and ${limits.resumeWithinMs / 1000} s later resumes at ${got.value} ms`,
        )
      if (state !== 'waiting') return state
      await pause(limits.resumePollMs, stopped)
    }
  }

  const lookAgain = async (): Promise<void> => {
    const one = pickOne(random, kept)
    if (one === null) return
    const got = await client.resumeMs(one.visitor, one.title.id)
    if (got.kind !== 'fine') return
    findings.checked()
    if (got.value !== one.positionMs)
      findings.violated(
        `${one.visitor.viewerId} later`,
        `${describe(one)}, resumed there, and later at ${got.value} ms`,
      )
  }

  const round = async (): Promise<boolean> => {
    const stoppedAt = await stopSomewhere()
    if (stoppedAt === null) return false
    const state = await waitFor(stoppedAt)
    if (state === 'gone') return true
    findings.checked()
    if (state === 'settled') {
      kept.push(stoppedAt)
      if (kept.length > limits.resumeKeptMax) kept.shift()
    }
    return true
  }

  return {
    async run() {
      while (!stopped.aborted) {
        if (!(await round())) await pause(limits.retryMs, stopped)
        if (!stopped.aborted) await lookAgain()
      }
    },
    result: () => findings.result('no viewer could stop anywhere before the storm was over'),
  }
}

function describe({ visitor, title, positionMs }: Kept): string {
  return `viewer ${visitor.viewerId} of cell ${visitor.cell} stopped "${title.name}" at ${positionMs} ms`
}
