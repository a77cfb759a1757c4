import { describeError, pause } from '../../kernel/index.ts'
import type { Operation } from '../scenario.ts'
import type { Operator } from '../stage.ts'
import { untilAborted } from '../until-aborted.ts'

export type OperationsResult = {
  readonly published: number
  /** One sentence per film that was not published. */
  readonly unpublished: readonly string[]
  /** Why operations were left out; null when none were. */
  readonly notDone: string | null
}

/** What operators do during a storm, each at its time. */
export type Operations = {
  tick(nowMs: number): void
  /** Waits for films still being made, at most `waitMs` and until `hurry` is aborted; what is not published by then is given up. */
  finish(waitMs: number, hurry: AbortSignal): Promise<OperationsResult>
}

export function createOperations(options: {
  readonly operations: readonly Operation[]
  readonly operator: Operator | null
  readonly withdraw: () => Promise<void>
  readonly nowMs: () => number
  readonly onMark: (atMs: number, label: string) => void
}): Operations {
  const { operator, nowMs, onMark } = options
  const waiting = [...options.operations].sort((left, right) => left.atMs - right.atMs)
  const giveUp = new AbortController()
  const films: { readonly name: string; readonly ended: Promise<string | null> }[] = []

  const publish = async (by: Operator, name: string, filmMs: number): Promise<string | null> => {
    const beganMs = nowMs()
    onMark(beganMs, `${name}: upload begins`)
    try {
      await untilAborted(by.publish(name, filmMs, giveUp.signal), giveUp.signal)
      onMark(nowMs(), `${name}: published after ${seconds(nowMs() - beganMs)}`)
      return null
    } catch (error) {
      const why = giveUp.signal.aborted
        ? `not published ${seconds(nowMs() - beganMs)} after its upload began`
        : describeError(error)
      onMark(nowMs(), `${name}: ${why}`)
      return `${name}: ${why}`
    }
  }
  const begin = (operation: Operation): void => {
    if (!operator) return
    if (operation.kind === 'publish') {
      const name = `Storm film ${films.length + 1}`
      films.push({ name, ended: publish(operator, name, operation.filmMs) })
      return
    }
    onMark(nowMs(), 'a title is withdrawn')
    options.withdraw().catch((error: unknown) => onMark(nowMs(), `the withdrawal failed: ${describeError(error)}`))
  }

  return {
    tick(now) {
      for (let next = waiting[0]; next && next.atMs <= now; next = waiting[0]) {
        waiting.shift()
        begin(next)
      }
    },
    async finish(waitMs, hurry) {
      const all = new AbortController()
      void pause(waitMs, AbortSignal.any([hurry, all.signal])).then(() => giveUp.abort())
      const ended = await Promise.all(films.map((film) => film.ended))
      all.abort()
      const unpublished = ended.filter((why) => why !== null)
      const notDone =
        operator || options.operations.length === 0
          ? null
          : 'operations need an operator: a platform that storm starts itself, --home, or --console with --operator-token-file'
      return { published: ended.length - unpublished.length, unpublished, notDone }
    },
  }
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`
