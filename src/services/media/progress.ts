import { STAGES, type TaskKind } from './task.ts'

export type StageCount = { readonly done: number; readonly total: number; readonly open: number }
export type Percentages = ReadonlyMap<TaskKind, StageCount>

/** What each stage weighs in the whole: about its share of the time. */
const WEIGHTS: Readonly<Record<(typeof STAGES)[number], number>> = {
  probe: 2,
  video: 84,
  audio: 8,
  captions: 2,
  poster: 2,
  verify: 2,
}

/** Pure: work done and planned per stage, and the whole in percent with one decimal; 100 only once published. */
export function toProgress(
  stages: Percentages,
  published: boolean,
): { percent: number; stages: { name: string; done: number; total: number }[] } {
  // Verifying is always part of it, also before its task exists.
  const known = STAGES.flatMap((name) => {
    const stage = stages.get(name) ?? (name === 'verify' ? { done: 0, total: 1, open: 1 } : null)
    return stage ? [{ name, done: stage.done, total: stage.total }] : []
  })
  // Before the plan exists nothing is known but the probe: it must not count for everything.
  const planned = stages.has('video')
  const weight = planned ? known.reduce((sum, { name }) => sum + WEIGHTS[name], 0) : 100
  const made = known.reduce((sum, { name, done, total }) => sum + (total > 0 ? (WEIGHTS[name] * done) / total : 0), 0)
  const percent = published ? 100 : Math.min(99.9, Math.floor((1000 * made) / weight) / 10)
  return { percent, stages: known }
}
