import { arrivalsExpected } from './arrivals.ts'
import { describeFault } from './faults/describe.ts'
import type { FaultPlan } from './faults/plan.ts'
import { durationOf, type Scenario } from './scenario.ts'
import type { ViewerHabits } from './viewer/habits.ts'

/** How far above its mean a number of arrivals may fall, in standard deviations. */
const DEVIATIONS = 5
/** A viewer asks at least for a session and the home page. */
const REQUESTS_PER_VIEWER_MIN = 2
/** Whether a fault is over is told by the first second without errors after it. */
const AFTER_FAULT_MS_MIN = 1_000
/** Phases cut from a trace add up to the storm's length but for the last bits. */
const ROUNDING_MS = 0.001

/** What no schema of one section says: how a scenario's parts must fit each other. Parts that are not sound are left out. */
export function checkRelations(parts: Partial<Scenario>): string[] {
  const { phases, faults = [], operations = [], habits, platform, objectives } = parts
  const lengthMs = phases === undefined ? Number.POSITIVE_INFINITY : durationOf({ phases })
  return [
    ...(habits === undefined ? [] : checkHabits(habits)),
    ...faults.flatMap((plan, at) => checkFault(plan, `faults.${at}`, lengthMs)),
    ...checkDistinct(faults),
    ...operations.flatMap(({ atMs }, at) => checkBegin(`operations.${at}.atMs`, atMs, lengthMs)),
    ...(platform !== undefined && platform.diskBytes === null && faults.some((plan) => plan.kind === 'disk-full')
      ? ['platform.diskBytes: expected a size, got null; a "disk-full" fault needs a file system of its own to fill']
      : []),
    ...(objectives?.unpublishedMax !== undefined && !operations.some((operation) => operation.kind === 'publish')
      ? ['objectives.unpublishedMax: nothing is published; add a "publish" operation, or leave the objective out']
      : []),
    ...checkBounds(parts, lengthMs),
  ]
}

function checkHabits({ hesitationMs, patience, player }: ViewerHabits): string[] {
  const [least, most] = hesitationMs
  return [
    ...(least > most ? [`habits.hesitationMs: expected [min, max], got [${least}, ${most}]`] : []),
    ...patience.flatMap(([waitedMs, lostShare], at) => {
      const before = patience[at - 1]
      if (before === undefined || (waitedMs > before[0] && lostShare >= before[1])) return []
      return [`habits.patience.${at}: expected to rise from [${before.join(', ')}], got [${waitedMs}, ${lostShare}]`]
    }),
    ...(player.aheadMs < player.startBufferMs
      ? [`habits.player.aheadMs: expected at least startBufferMs ${player.startBufferMs}, got ${player.aheadMs}`]
      : []),
  ]
}

function checkFault(plan: FaultPlan, path: string, lengthMs: number): string[] {
  if (plan.kind !== 'kill') return checkEnd(`${path}: its end`, plan.atMs + plan.forMs, lengthMs)
  const { times = 1, everyMs } = plan
  if (times > 1 && everyMs === undefined) return [`${path}.everyMs: expected a time between ${times} kills, got none`]
  return checkEnd(`${path}: its last kill`, plan.atMs + (times - 1) * (everyMs ?? 0), lengthMs)
}

/** Whoever ends in time has begun in time. */
function checkEnd(what: string, atMs: number, lengthMs: number): string[] {
  if (atMs <= lengthMs - AFTER_FAULT_MS_MIN + ROUNDING_MS) return []
  const why = `${AFTER_FAULT_MS_MIN} ms before the storm's end at ${lengthMs} ms, so that recovery can be seen`
  return [`${what}: expected at least ${why}; got ${atMs}`]
}

function checkBegin(what: string, atMs: number, lengthMs: number): string[] {
  return atMs < lengthMs - ROUNDING_MS
    ? []
    : [`${what}: expected before the storm's end at ${lengthMs} ms, got ${atMs}`]
}

/** Reports and comparisons know a fault by its id. */
function checkDistinct(faults: readonly FaultPlan[]): string[] {
  const firsts = new Map<string, number>()
  return faults.flatMap((plan, at) => {
    const { id } = describeFault(plan)
    const first = firsts.get(id)
    if (first === undefined) {
      firsts.set(id, at)
      return []
    }
    const advice = 'let one begin a millisecond later, or make them one'
    return [`faults.${at}: expected a fault of its own, got ${id} as in faults.${first}; ${advice}`]
  })
}

function checkBounds({ bounds, phases, baselinePerSecond }: Partial<Scenario>, lengthMs: number): string[] {
  if (bounds === undefined || phases === undefined || baselinePerSecond === undefined) return []
  const mean = arrivalsExpected({ phases, baselinePerSecond })
  const viewers = Math.ceil(mean + DEVIATIONS * Math.sqrt(mean))
  const atLeast = (key: keyof typeof bounds, need: number): string[] =>
    bounds[key] >= need ? [] : [`bounds.${key}: expected at least the ${need} that the phases need, got ${bounds[key]}`]
  return [
    ...atLeast('viewersMax', viewers),
    ...atLeast('requestsMax', viewers * REQUESTS_PER_VIEWER_MIN),
    ...atLeast('durationMsMax', lengthMs),
  ]
}
