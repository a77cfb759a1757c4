import type { PlatformStatus } from '../../contracts/index.ts'
import { describeError, Fault, type Logger, silentLogger } from '../../kernel/index.ts'
import type { Inside } from '../stage.ts'
import { createFaultActs, type FaultActs } from './acts.ts'
import { createStrikes, decideStrikes, endStrikes, needsStatus, type Strike } from './decide.ts'
import { describeFault } from './describe.ts'
import type { FaultEffect } from './kinds/kind.ts'
import { createLinks } from './links.ts'
import type { FaultMark, FaultPlan } from './plan.ts'

/** How exactly faults keep their time, and how soon one that came back is struck again. */
const TICK_MS = 20

export type FaultFailure = { readonly faultId: string; readonly reason: string }

export type Faults = {
  /**
   * Puts in place what must be there before the first viewer; viewers go to the `watchUrl` it gives, if any. Restarts roles where a link to
   * a socket is to be struck. Rejects when the platform cannot be prepared, and soon with the reason of `interrupt` when that is aborted;
   * `stop` is due even then.
   */
  prepare(interrupt?: AbortSignal): Promise<{ readonly watchUrl?: string }>
  /** Strikes by the clock from here. */
  start(): void
  /** Resolves when everything is undone: nothing stopped, no socket moved, no disk filled, no process left. At any time, and more than once. */
  stop(): Promise<void>
  /** Faults that could not strike, and why. */
  failures(): readonly FaultFailure[]
}

type Standing = {
  readonly plan: FaultPlan
  readonly label: string
  readonly acts: FaultActs
  /** What it is doing, to its end. */
  work: Promise<void>
  /** Its last strike. */
  struckMs: number
}

/** What strikes a platform on this machine. Fault `fault-twice` for two plans that nobody could tell apart. */
export function createFaults(options: {
  readonly plans: readonly FaultPlan[]
  readonly stage: Inside
  /** ms since the storm's begin. */
  readonly clock: { nowMs(): number }
  readonly onMark: (mark: FaultMark) => void
  readonly logger?: Logger
}): Faults {
  const { plans, stage, clock, onMark, logger = silentLogger } = options
  checkDistinct(plans)
  const links = createLinks({ layout: stage.layout, status: stage.status, logger })
  const faults = new Map<string, Standing>()
  for (const plan of plans) {
    const { id, label } = describeFault(plan)
    const acts = createFaultActs({ faultId: id, stage, links })
    faults.set(id, { plan, label, acts, work: Promise.resolve(), struckMs: 0 })
  }
  const failures: FaultFailure[] = []
  const stopping = new AbortController()
  let state = createStrikes(plans)
  let preparing: Promise<{ readonly watchUrl?: string }> | null = null
  let ticking: ReturnType<typeof setInterval> | null = null
  let deciding: Promise<void> | null = null
  let stopped: Promise<void> | null = null

  const mark = (
    faultId: string,
    phase: FaultMark['phase'],
    roles: readonly string[],
    atMs: number = clock.nowMs(),
  ): void => {
    const fault = faults.get(faultId)
    if (fault && phase === 'struck') fault.struckMs = atMs
    onMark({ faultId, label: fault?.label ?? faultId, phase, atMs, roles })
  }

  const fail = async (faultId: string, acts: FaultActs, reason: string): Promise<void> => {
    state = endStrikes(state, faultId)
    failures.push({ faultId, reason })
    logger.warn(`a fault failed: ${reason}`, { fault: faultId })
    await acts.undo()
    mark(faultId, 'failed', state.get(faultId)?.roles ?? [])
  }

  const perform = async (faultId: string, acts: FaultActs, effects: readonly FaultEffect[]): Promise<void> => {
    try {
      for (const effect of effects) {
        if (effect.type === 'mark')
          mark(faultId, effect.phase, effect.roles, effect.atStrike ? faults.get(faultId)?.struckMs : undefined)
        else if (effect.type === 'fail') await fail(faultId, acts, effect.reason)
        else await acts.perform(effect)
      }
    } catch (error) {
      await fail(faultId, acts, describeError(error))
    }
  }

  /** What one fault does, it does one after the other; what another does is not held up by that. */
  const enqueue = ({ faultId, effects }: Strike): void => {
    const fault = faults.get(faultId)
    if (fault) fault.work = fault.work.then(() => perform(faultId, fault.acts, effects))
  }

  const decide = async (): Promise<void> => {
    const status = needsStatus(plans, clock.nowMs(), state) ? await askStatus(stage, logger) : null
    if (stopping.signal.aborted) return
    const decision = decideStrikes(plans, clock.nowMs(), state, status)
    state = decision.state
    for (const strike of decision.strikes) enqueue(strike)
  }

  const tick = (): void => {
    deciding ??= decide().finally(() => {
      deciding = null
    })
  }

  const undoAll = async (): Promise<void> => {
    if (ticking !== null) clearInterval(ticking)
    await preparing?.catch(() => {})
    await deciding
    for (const [faultId, fault] of faults) {
      await fault.work
      const { phase, roles } = state.get(faultId) ?? { phase: 'over', roles: [] }
      await fault.acts.undo()
      if (phase === 'active') mark(faultId, 'ended', roles)
      if (phase === 'waiting' && ticking !== null && clock.nowMs() >= fault.plan.atMs)
        await fail(
          faultId,
          fault.acts,
          'it was due, but the storm ended before the supervisor said what it could strike; see the log of the platform',
        )
      state = endStrikes(state, faultId)
    }
    await links.close()
  }

  return {
    prepare(interrupt) {
      const signal = AbortSignal.any([stopping.signal, ...(interrupt ? [interrupt] : [])])
      if (signal.aborted) return Promise.reject(signal.reason)
      const wheres = [...new Set(plans.flatMap((plan) => (plan.kind === 'link' ? [plan.where] : [])))]
      preparing ??= wheres.length === 0 ? Promise.resolve({}) : links.prepare(wheres, signal)
      return preparing
    },
    start() {
      if (!stopping.signal.aborted) ticking ??= setInterval(tick, TICK_MS)
    },
    stop() {
      stopping.abort(new Fault('faults-stopped', 'these faults were stopped; create new ones'))
      stopped ??= undoAll()
      return stopped
    },
    failures: () => failures,
  }
}

async function askStatus(stage: Inside, logger: Logger): Promise<PlatformStatus | null> {
  try {
    return await stage.status()
  } catch (error) {
    logger.warn('the supervisor did not say what runs; faults wait for it', { error: describeError(error) })
    return null
  }
}

function checkDistinct(plans: readonly FaultPlan[]): void {
  const ids = plans.map((plan) => describeFault(plan).id)
  const twice = ids.find((id, at) => ids.indexOf(id) !== at)
  if (twice === undefined) return
  throw new Fault(
    'fault-twice',
    `two faults are ${twice}; expected each to have a time of its own: let one begin a millisecond later, or make them one`,
  )
}
