import { expect, test } from 'bun:test'
import { DEFAULT_LADDER, type Plan } from '../../contracts/index.ts'
import {
  type Around,
  type Decision,
  decide,
  decideSoonWanted,
  decideWanted,
  type Outcome,
  type TitleSnapshot,
  toTasks,
} from './decide.ts'
import type { Recipe } from './plan.ts'
import { PRIORITY, type Task } from './task.ts'

const TITLE = '0123456789abcdef'
const PLAN: Plan = {
  durationMs: 30_000,
  video: { timescale: 24_000, frameTicks: 1000, frames: 720, framesPerSegment: 48, segmentsPerChunk: 4 },
  renditions: DEFAULT_LADDER.slice(0, 2).map(({ height, bitrateBps }) => ({
    id: `v${height}`,
    width: 2 * height,
    height,
    bitrateBps,
    codec: 'avc1.640015',
  })),
  audio: {
    sampleRate: 48_000,
    channels: 2,
    samples: 1_440_000,
    samplesPerFrame: 1024,
    framesPerSegment: 94,
    bitrateBps: 128_000,
    language: 'en',
  },
  captions: [{ id: 'c0', language: 'en', label: 'English' }],
}
const RECIPE = {} as Recipe // decisions only carry it along

const fresh = (): TitleSnapshot => ({
  titleId: TITLE,
  state: 'working',
  version: 0,
  asset: {
    titleId: TITLE,
    metadata: { name: 'Film', description: '', createdAtMs: 1 },
    source: { objectKey: 'titles/x/source/film', fileName: 'x.mp4', bytes: 1 },
    captions: [],
  },
  plan: null,
  recipe: null,
  videoStarted: false,
  audioStarted: false,
  playable: false,
  stages: new Map([['probe', { done: 0, total: 1, open: 1 }]]),
})

/** What the tables would say after a decision. */
const apply = (title: TitleSnapshot, task: Task, decision: Decision): TitleSnapshot => {
  const stages = new Map(title.stages)
  const own = stages.get(task.kind)
  if (own) {
    const done = own.done + decision.unitsDone - task.unitsDone
    stages.set(task.kind, { ...own, done, open: own.open - (decision.done ? 1 : 0) })
  }
  for (const { kind, units } of decision.tasks) {
    const before = stages.get(kind) ?? { done: 0, total: 0, open: 0 }
    stages.set(kind, { done: before.done, total: before.total + units, open: before.open + 1 })
  }
  return { ...title, ...decision, version: title.version + 1, stages }
}
const asTask = (draft: ReturnType<typeof toTasks>[number]): Task => ({
  ...draft,
  titleId: TITLE,
  attempts: 0,
  fence: 1,
  unitsDone: 0,
})
const PROBE_TASK = asTask({ id: `${TITLE}/probe`, kind: 'probe', ordinal: 0, priority: 100, units: 1, input: {} })

const outcomeOf = (task: Task): Outcome => {
  if (task.kind === 'captions') return { kind: 'captions', track: 'c0', objectKey: 'k' }
  if (task.kind === 'poster') return { kind: 'poster', objectKey: 'k' }
  if (task.kind === 'verify') return { kind: 'verified' }
  const tracks = task.input.renditions ?? ['a0']
  const segment = { index: 0, objectKey: 'k', bytes: 1, start: 0, duration: 1 }
  return {
    kind: 'segments',
    final: true,
    tracks: tracks.map((track) => ({ track, init: { objectKey: 'i', codec: 'c' }, segments: [segment] })),
  }
}

test('the graph: lowest rung of the first chunks alone and first, one decode per chunk after that', () => {
  const video = toTasks(TITLE, PLAN).filter(({ kind }) => kind === 'video')
  expect(video.map(({ ordinal, input, priority }) => [ordinal, input.renditions, priority])).toEqual([
    [0, ['v240'], PRIORITY.firstChunk],
    [0, ['v360'], PRIORITY.video],
    [1, ['v240'], PRIORITY.leadChunk],
    [1, ['v360'], PRIORITY.video],
    [2, ['v240', 'v360'], PRIORITY.video],
    [3, ['v240', 'v360'], PRIORITY.video],
  ])
  expect(new Set(toTasks(TITLE, PLAN).map(({ id }) => id)).size).toBe(toTasks(TITLE, PLAN).length)
})

test('from probe to published, in whatever order tasks end: playable once, percent never falls, 100 only at the end', () => {
  for (let seed = 0; seed < 50; seed++) {
    let title = fresh()
    const types: string[] = []
    const percents: number[] = []
    const take = (task: Task, outcome: Outcome): void => {
      const decision = decide(title, task, outcome)
      for (const event of decision.events) {
        types.push(event.type)
        if (event.type === 'tentpole.title.progress.v1') percents.push(event.data.percent)
      }
      title = apply(title, task, decision)
      queue.push(...decision.tasks.map(asTask))
    }
    const queue: Task[] = []
    take(PROBE_TASK, { kind: 'planned', plan: PLAN, recipe: RECIPE })
    let random = seed
    while (queue.length > 0) {
      random = (random * 1_103_515_245 + 12_345) % 2_147_483_648
      const [task] = queue.splice(random % queue.length, 1)
      if (task) take(task, outcomeOf(task))
    }
    const count = (type: string): number => types.filter((name) => name === type).length
    expect([count('tentpole.title.playable.v1'), count('tentpole.title.published.v1')]).toEqual([1, 1])
    expect(types.at(-1)).toBe('tentpole.title.published.v1')
    expect(percents).toEqual([...percents].sort((left, right) => left - right))
    expect([percents.at(-1), percents.filter((percent) => percent === 100).length]).toEqual([100, 1])
    expect(title.state).toBe('published')
  }
})

test('playable needs the picture and as much sound', () => {
  const planned = apply(
    fresh(),
    PROBE_TASK,
    decide(fresh(), PROBE_TASK, { kind: 'planned', plan: PLAN, recipe: RECIPE }),
  )
  const tasks = toTasks(TITLE, PLAN).map(asTask)
  const first = tasks[0]
  const audio = tasks.find(({ kind }) => kind === 'audio')
  if (!first || !audio) throw new Error('expected tasks')
  const pictured = apply(planned, first, decide(planned, first, outcomeOf(first)))
  expect(pictured.playable).toBe(false)
  const sound = (segments: number): Outcome => ({
    kind: 'segments',
    final: false,
    tracks: [
      {
        track: 'a0',
        init: { objectKey: 'i', codec: 'c' },
        segments: Array.from({ length: segments }, (_, index) => ({
          index,
          objectKey: `k${index}`,
          bytes: 1,
          start: 0,
          duration: 1,
        })),
      },
    ],
  })
  expect(decide(pictured, audio, sound(3)).playable).toBe(false)
  const enough = decide(pictured, audio, sound(4))
  expect([enough.playable, enough.done, enough.unitsDone]).toEqual([true, false, 4])
})

test('a refusal cancels the rest, cleans up and says why', () => {
  const decision = decide(fresh(), PROBE_TASK, { kind: 'refused', code: 'source-text', reason: 'because' })
  expect([decision.state, decision.cancelRest, decision.tasks[0]?.kind]).toEqual(['failed', true, 'cleanup'])
  expect(decision.events.map(({ type }) => type)).toEqual(['tentpole.title.failed.v1'])
})

const LONG: Plan = {
  ...PLAN,
  durationMs: 600_000,
  video: { ...PLAN.video, frames: 14_400 },
  audio: PLAN.audio && { ...PLAN.audio, samples: 28_800_000 },
}

test('sound in parts: one for a short film, else equal ones that tile the track, the first one first', () => {
  const audioOf = (plan: Plan): Task[] =>
    toTasks(TITLE, plan)
      .filter(({ kind }) => kind === 'audio')
      .map(asTask)
  expect(audioOf(PLAN).map(({ input, units }) => [input.span, units])).toEqual([
    [{ firstSegment: 0, segments: 15 }, 15],
  ])
  const parts = audioOf(LONG)
  let next = 0
  for (const { input, units } of parts) {
    expect([input.span?.firstSegment, input.span?.segments]).toEqual([next, units])
    next += units
  }
  expect([parts.length, next]).toEqual([5, 300])
  expect(parts.map(({ priority }) => priority)).toEqual([
    PRIORITY.firstAudio,
    ...Array.from({ length: 4 }, () => PRIORITY.audio),
  ])
})

test.each<[string, number, Partial<Around>, [number, number] | null]>([
  ['v240', 120, {}, [120, 6]],
  ['a0', 240, {}, [240, 6]],
  ['v240', 298, {}, [298, 2]],
  ['v240', 300, {}, null],
  ['v999', 0, {}, null],
  ['v240', 120, { recorded: new Set([120]) }, null],
  ['v240', 120, { recorded: new Set([123]) }, [120, 3]],
  ['v240', 120, { underWay: [{ firstSegment: 116, segments: 6 }] }, null],
  ['v240', 120, { underWay: [{ firstSegment: 124, segments: 6 }] }, [120, 4]],
])('wanted of %s: %d', (track, index, around, expected) => {
  const none: Around = { recorded: new Set(), underWay: [] }
  const task = decideWanted({ titleId: TITLE, plan: LONG }, { track, index }, { ...none, ...around })
  expect(task && [task.input.span?.firstSegment, task.input.span?.segments]).toEqual(expected)
  if (task) expect([task.kind, task.priority, task.input.track]).toEqual(['wanted', PRIORITY.wanted, track])
})

test('behind what is wanted, the chunks around it come soon', () => {
  expect(decideSoonWanted(LONG, { track: 'v240', index: 121 })).toEqual({
    kind: 'video',
    firstChunk: 30,
    lastChunk: 33,
  })
  expect(decideSoonWanted(LONG, { track: 'a0', index: 240 })).toEqual({ kind: 'audio', firstChunk: 4, lastChunk: 5 })
})

test('what is wanted takes no part in progress or in what makes a title playable, but is waited for at the end', () => {
  const planned = apply(
    fresh(),
    PROBE_TASK,
    decide(fresh(), PROBE_TASK, { kind: 'planned', plan: LONG, recipe: RECIPE }),
  )
  const draft = decideWanted(
    { titleId: TITLE, plan: LONG },
    { track: 'v240', index: 0 },
    { recorded: new Set(), underWay: [] },
  )
  if (!draft) throw new Error('expected a task')
  const wanted = asTask(draft)
  const title = {
    ...planned,
    audioStarted: true,
    stages: new Map([...planned.stages].map(([kind, stage]) => [kind, { ...stage, open: 0 }])).set('wanted', {
      done: 0,
      total: wanted.units,
      open: 1,
    }),
  }
  const decision = decide(title, wanted, { ...outcomeOf({ ...wanted, input: { renditions: ['v240'] } }) })
  expect([decision.videoStarted, decision.playable]).toEqual([false, false])
  expect(decision.tasks.map(({ kind }) => kind)).toEqual(['verify'])
  const progress = decision.events.find(({ type }) => type === 'tentpole.title.progress.v1')
  expect(JSON.stringify(progress)).not.toContain('wanted')
})
