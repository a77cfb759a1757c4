import { describeError, Fault, pause } from '../../kernel/index.ts'
import type { Operator } from '../stage.ts'
import { untilAborted } from '../until-aborted.ts'
import type { Answer, Got } from './answer.ts'
import { type Visitor, withoutToken } from './client.ts'
import type { ProbeLimits } from './limits.ts'
import { type Probe, type ProbeParts, persist } from './probe.ts'
import type { Send } from './send.ts'

export type WithdrawnStops = Probe & {
  /** Publishes the film that will be withdrawn, until `interrupt` is aborted. What hinders it is told in the result. */
  prepare(interrupt?: AbortSignal): Promise<void>
  /** The film that will be withdrawn: not for the crowd, who would meet its end as a failure. */
  titleId(): string | null
  /** Resolves when the withdrawal is acknowledged; watching goes on until the storm is over. */
  withdraw(): Promise<void>
}

/** `sentMs` and `beganMs` count from the acknowledgement. */
export type AfterWithdrawal = { readonly sentMs: number; readonly beganMs: number; readonly answer: Answer }

/** Whether an answer came that must not come any more. Any 2xx with a body counts, whatever is in it. */
export function servesWithdrawn(
  { sentMs, beganMs, answer }: AfterWithdrawal,
  limits: Pick<ProbeLimits, 'withdrawnWithinMs' | 'transferMs'>,
): boolean {
  if (answer.kind !== 'answered' || answer.status < 200 || answer.status > 299 || answer.bytes.length === 0)
    return false
  return sentMs > limits.withdrawnWithinMs || beganMs > limits.withdrawnWithinMs + limits.transferMs
}

/** Whoever waits for a storm to begin waits for this. */
const PUBLISH_WAIT_MS = 60_000

type Watched = { readonly visitor: Visitor; readonly cached: readonly string[]; readonly fresh: readonly string[] }
type Asked = { readonly key: string; readonly name: string; readonly send: () => Promise<Answer> }

/** A film made to be withdrawn in mid-storm, and someone who does not stop asking for it. */
export function createWithdrawnStops(
  parts: ProbeParts & {
    readonly send: Send
    readonly operator: Pick<Operator, 'publish' | 'withdraw'> | null
    readonly planned: boolean
    readonly publishWaitMs?: number
  },
): WithdrawnStops {
  const { client, findings, limits, people, random, nowMs, stopped, send, operator, planned } = parts
  const { publishWaitMs = PUBLISH_WAIT_MS } = parts
  let titleId: string | null = null
  let acknowledgedMs: number | null = null
  const watching: Promise<void>[] = []

  /** A session of its own, half of the film's files fetched. */
  const beginWatching = async (): Promise<Got<Watched>> => {
    const [who] = people
    if (!who || titleId === null) return { kind: 'passing', code: null, why: 'nobody to watch it' }
    const id = titleId
    const met = await persist(parts, () => client.session(who))
    if (met.kind !== 'fine') return met
    const started = await persist(parts, () => client.playback(met.value, id))
    if (started.kind !== 'fine') return started
    const tracks = await persist(parts, () => client.tracks(started.value.manifestUrl))
    if (tracks.kind !== 'fine') return tracks
    const lists = await Promise.all(tracks.value.map((track) => persist(parts, () => client.files(track))))
    const files = shuffle(
      lists.flatMap((list) => (list.kind === 'fine' ? list.value.segments : [])),
      random,
    )
    const wanted = files.slice(0, Math.min(limits.withdrawnFilesMax, Math.ceil(files.length / 2)))
    const fetched = await Promise.all(wanted.map((path) => persist(parts, () => client.segment(path))))
    const cached = wanted.filter((_, at) => fetched[at]?.kind === 'fine')
    const fresh = files.slice(wanted.length, wanted.length + limits.withdrawnFilesMax)
    if (cached.length === 0) return { kind: 'passing', code: null, why: 'none of its segments could be fetched' }
    return { kind: 'fine', value: { visitor: met.value, cached, fresh } }
  }

  const fetchFile = (path: string): Promise<Answer> =>
    send({ method: 'GET', path, token: null, body: null, timeoutMs: limits.mediaTimeoutMs })

  /** In turn: something cached, something never asked for before the withdrawal, and now and then Play again. */
  const choose = ({ visitor, cached, fresh }: Watched, at: number): Asked => {
    const body = { titleId }
    const path = '/v1/playback'
    if (at % 5 === 4)
      return {
        key: 'playback',
        name: 'a new playback',
        send: () => send({ method: 'POST', path, token: visitor.token, body, timeoutMs: limits.apiTimeoutMs }),
      }
    const kind = at % 2 === 0 || fresh.length === 0 ? 'cached' : 'fresh'
    const files = kind === 'cached' ? cached : fresh
    const file = files[Math.floor(at / 2) % files.length] ?? ''
    const name = `${withoutToken(file)}, ${kind === 'cached' ? 'fetched before' : 'not fetched before'},`
    return { key: kind, name, send: () => fetchFile(file) }
  }

  const askOne = async ({ key, name, send }: Asked, fromMs: number): Promise<void> => {
    const sentMs = nowMs() - fromMs
    const answer = await send()
    if (answer.kind !== 'answered') return
    const beganMs = answer.beganMs - fromMs
    if (sentMs > limits.withdrawnWithinMs) findings.checked()
    if (servesWithdrawn({ sentMs, beganMs, answer }, limits))
      findings.violated(
        key,
        `${name} was still answered with ${answer.status} ${(beganMs / 1000).toFixed(1)} s after the withdrawal was acknowledged`,
      )
  }

  const watch = async (watched: Watched, fromMs: number): Promise<void> => {
    const underWay = new Set<Promise<void>>()
    for (let at = 0; !stopped.aborted; at++) {
      if (underWay.size < limits.withdrawnInFlightMax) {
        const asked: Promise<void> = askOne(choose(watched, at), fromMs).finally(() => underWay.delete(asked))
        underWay.add(asked)
      }
      const isDense = nowMs() - fromMs < limits.withdrawnDenseMs
      await pause(isDense ? limits.withdrawnEveryMs : limits.withdrawnLaterEveryMs, stopped)
    }
    await Promise.all(underWay)
  }

  const fail = (error: unknown): void => findings.hindered(`the probe failed: ${describeError(error)}`)

  return {
    async prepare(interrupt) {
      if (!planned) return findings.hindered('the scenario withdraws nothing')
      if (!operator) return findings.hindered('withdrawing needs an operator: none is known of this platform')
      const late = AbortSignal.timeout(publishWaitMs)
      const signal = AbortSignal.any([stopped, late, ...(interrupt ? [interrupt] : [])])
      try {
        const publishing = operator.publish('Withdrawn by the storm', limits.sacrificeMs, signal)
        titleId = (await untilAborted(publishing, signal)).id
      } catch (error) {
        const why = late.aborted ? `it took longer than ${publishWaitMs / 1000} s` : describeError(error)
        findings.hindered(`the film to be withdrawn was not published: ${why}`)
      }
    },
    titleId: () => titleId,
    async withdraw() {
      if (titleId === null || !operator)
        throw new Fault('nothing-to-withdraw', 'no film was published to be withdrawn; see the probe "withdrawn-stops"')
      const watched = await beginWatching()
      try {
        await operator.withdraw(titleId)
      } catch (error) {
        findings.hindered(`the withdrawal was not acknowledged: ${describeError(error)}`)
        throw error
      }
      acknowledgedMs = nowMs()
      if (watched.kind === 'fine') watching.push(watch(watched.value, acknowledgedMs).catch(fail))
      else if (watched.kind !== 'stopped')
        findings.hindered(`the film could not be played before it was withdrawn: ${watched.why}`)
    },
    async run() {
      await new Promise<void>((resolve) => {
        if (stopped.aborted) resolve()
        stopped.addEventListener('abort', () => resolve(), { once: true })
      })
      await Promise.all(watching)
    },
    result: () =>
      findings.result(
        acknowledgedMs === null
          ? 'nothing was withdrawn before the storm was over'
          : `the storm was over before the ${limits.withdrawnWithinMs / 1000} s were`,
      ),
  }
}

function shuffle<T>(items: readonly T[], random: () => number): T[] {
  const shuffled = [...items]
  for (let at = shuffled.length - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1))
    const [left, right] = [shuffled[at], shuffled[other]]
    if (left === undefined || right === undefined) continue
    shuffled[at] = right
    shuffled[other] = left
  }
  return shuffled
}
