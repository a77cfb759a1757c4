import { pause } from '../../kernel/index.ts'
import type { Got, Trouble } from './answer.ts'
import type { Listed, Visitor, Who } from './client.ts'
import { type Probe, type ProbeParts, persist, pickOne } from './probe.ts'

/** What was found out about a title that did not play. */
export type ListedFacts = {
  readonly trouble: Trouble
  readonly beingMade: boolean
  /** What home said afterwards, for a refusal. */
  readonly home: 'lists' | 'gone' | 'silent' | 'not-asked'
  /** Whether another title of the cell played and this one failed once more right after, for a failure that lasts. */
  readonly onlyThisOne: boolean | 'not-asked'
}

/** Whether a title that was listed and did not play breaks the promise. */
export function decideListed({ trouble, beingMade, home, onlyThisOne }: ListedFacts): boolean {
  // A visit outlived the address it was given: the fault is this probe's.
  if (trouble.code === 'token-expired') return false
  // What is listed while it is being made answers so while a segment is made (docs/viewer-api.md).
  if (trouble.code === 'segment-not-ready' && beingMade) return false
  return trouble.kind === 'refused' ? home === 'lists' : onlyThisOne === true
}

type Visits = { readonly since: Map<string, number>; readonly turns: Map<string, number> }

/**
 * Goes round all titles that home lists, in every cell it can become a viewer of, and plays a bit of each: with every
 * round another of its renditions, so that all titles are seen soon and all renditions in the end.
 */
export function createListedPlays(parts: ProbeParts): Probe {
  const { client, findings, limits, random, nowMs, stopped } = parts
  const people: Who[] = [...parts.people]
  const visitors = new Map<string, Visitor>()
  const visits = new Map<string, Visits>()

  const meetNext = async (): Promise<void> => {
    const who = people.shift()
    if (!who) return
    const met = await client.session(who)
    if (met.kind === 'fine') visitors.set(met.value.cell, visitors.get(met.value.cell) ?? met.value)
    else people.push(who)
  }

  /** From pressing play to a segment out of the middle. */
  const play = async (visitor: Visitor, title: Listed, turn: number): Promise<Got<null>> => {
    const started = await persist(parts, () => client.playback(visitor, title.id))
    if (started.kind !== 'fine') return started
    const tracks = await persist(parts, () => client.tracks(started.value.manifestUrl))
    if (tracks.kind !== 'fine') return tracks
    const track = tracks.value[turn % tracks.value.length] ?? ''
    const files = await persist(parts, () => client.files(track))
    if (files.kind !== 'fine') return files
    const { init, segments } = files.value
    const header = await persist(parts, () => client.init(init))
    if (header.kind !== 'fine') return header
    const first = await persist(parts, () => client.segment(segments[0] ?? ''))
    const any = pickOne(random, segments.slice(1))
    return first.kind !== 'fine' || any === null ? first : await persist(parts, () => client.segment(any))
  }

  /** Home may hear of a withdrawal after the edge did. */
  const askHome = async (visitor: Visitor, title: Listed, trouble: Trouble): Promise<ListedFacts['home']> => {
    const untilMs = nowMs() + (trouble.code === 'title-withdrawn' ? limits.withdrawnWithinMs : 0)
    for (;;) {
      const home = await persist(parts, () => client.home(visitor))
      if (home.kind !== 'fine') return 'silent'
      if (!home.value.some(({ id }) => id === title.id)) return 'gone'
      if (nowMs() >= untilMs) return 'lists'
      await pause(limits.retryMs, stopped)
      if (stopped.aborted) return 'silent'
    }
  }

  /** What happens to every title is the platform's trouble, and counted as errors; what happens to one is that title's. */
  const compare = async (
    visitor: Visitor,
    title: Listed,
    listed: readonly Listed[],
    turn: number,
  ): Promise<boolean> => {
    const other = pickOne(
      random,
      listed.filter(({ id, beingMade }) => id !== title.id && !beingMade),
    )
    if (other === null || (await play(visitor, other, turn)).kind !== 'fine') return false
    const again = await play(visitor, title, turn)
    return again.kind === 'passing' || again.kind === 'refused'
  }

  const visit = async (visitor: Visitor, title: Listed, listed: readonly Listed[], turn: number): Promise<void> => {
    const played = await play(visitor, title, turn)
    if (played.kind === 'stopped') return
    findings.checked()
    if (played.kind === 'fine') return
    const isRefused = played.kind === 'refused'
    const broken = decideListed({
      trouble: played,
      beingMade: title.beingMade,
      home: isRefused ? await askHome(visitor, title, played) : 'not-asked',
      onlyThisOne: isRefused ? 'not-asked' : await compare(visitor, title, listed, turn),
    })
    if (!broken || stopped.aborted) return
    const what = `"${title.name}" (${title.id}) is listed by cell ${visitor.cell} and did not play: ${played.why}`
    findings.violated(`${visitor.cell} ${title.id}`, what)
  }

  /** The title visited least often; false when there was none to visit. */
  const visitNext = async (visitor: Visitor): Promise<boolean> => {
    const home = await client.home(visitor)
    if (home.kind !== 'fine') return false
    const listed = home.value
    const seen = visits.get(visitor.cell) ?? { since: new Map<string, number>(), turns: new Map<string, number>() }
    visits.set(visitor.cell, seen)
    keepListed(seen, listed, nowMs())
    const due = listed.filter(({ id }) => nowMs() - (seen.since.get(id) ?? 0) >= limits.listedForMs)
    const turnOf = ({ id }: Listed): number => seen.turns.get(id) ?? 0
    const [next] = due.sort((left, right) => turnOf(left) - turnOf(right))
    if (!next) return false
    const turn = turnOf(next)
    seen.turns.set(next.id, turn + 1)
    await visit(visitor, next, listed, turn)
    return true
  }

  return {
    async run() {
      while (!stopped.aborted) {
        await meetNext()
        let visited = false
        for (const visitor of visitors.values()) visited = (await visitNext(visitor)) || visited
        if (!visited) await pause(limits.retryMs, stopped)
      }
    },
    result: () => findings.result('no listed title could be visited before the storm was over'),
  }
}

/** Since when each title is listed; one that is not any more is forgotten. */
function keepListed({ since, turns }: Visits, listed: readonly Listed[], nowMs: number): void {
  const ids = new Set(listed.map(({ id }) => id))
  for (const id of since.keys())
    if (!ids.has(id)) {
      since.delete(id)
      turns.delete(id)
    }
  for (const id of ids) if (!since.has(id)) since.set(id, nowMs)
}
