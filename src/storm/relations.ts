import { arrivalsExpected } from './arrivals.ts'
import type { FaultPlan } from './faults/plan.ts'
import { durationOf, type Scenario } from './scenario.ts'
import type { ViewerHabits } from './viewer/habits.ts'

/** How far above its mean a number of arrivals may fall, in standard deviations. */
const DEVIATIONS = 5
/** A viewer asks at least for a session and the home page. */
const REQUESTS_PER_VIEWER_MIN = 2

/** What no schema of one section says: how a scenario's parts must fit each other. Parts that are not sound are left out. */
export function checkRelations(parts: Partial<Scenario>): string[] {
  const { phases, faults = [], operations = [], habits, platform, objectives } = parts
  const lengthMs = phases === undefined ? Number.POSITIVE_INFINITY : durationOf({ phases })
  return [
    ...(habits === undefined ? [] : checkHabits(habits)),
    ...faults.flatMap((plan, at) => checkFault(plan, `faults.${at}`, lengthMs)),
    ...operations.flatMap(({ atMs }, at) => isWithin(`operations.${at}.atMs`, atMs, lengthMs)),
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
  if (plan.kind !== 'kill') return isWithin(`${path}: its end`, plan.atMs + plan.forMs, lengthMs)
  const { times = 1, everyMs } = plan
  if (times > 1 && everyMs === undefined) return [`${path}.everyMs: expected a time between ${times} kills, got none`]
  return isWithin(`${path}: its last kill`, plan.atMs + (times - 1) * (everyMs ?? 0), lengthMs)
}

function isWithin(what: string, atMs: number, lengthMs: number): string[] {
  // Phases cut from a trace add up to the storm's length but for the last bits.
  return atMs - lengthMs < 0.001 ? [] : [`${what}: expected within the storm's ${lengthMs} ms, got ${atMs}`]
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
