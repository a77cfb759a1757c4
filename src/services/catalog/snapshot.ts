import type { CatalogTitle, ReadySegment, TrackReadiness } from './title.ts'

/*
 * A title as JSON: maps are lists of pairs, and a hole among the segments is null. Whoever changes what comes out of this, or what
 * `decideTitle` makes, raises the view's version (`catalog.ts`): the test of this file holds it as it is.
 */
type EncodedTrack = Omit<TrackReadiness, 'segments'> & { readonly segments: readonly (ReadySegment | null)[] }
type EncodedTitle = Omit<CatalogTitle, 'readiness' | 'captions'> & {
  readonly readiness: readonly (readonly [string, EncodedTrack])[]
  readonly captions: readonly (readonly [string, string])[]
}

export function encodeTitles(titles: ReadonlyMap<string, CatalogTitle>): unknown {
  return [...titles.values()].map(
    (title): EncodedTitle => ({
      ...title,
      readiness: [...title.readiness].map(([track, ready]) => [track, encodeTrack(ready)]),
      captions: [...title.captions],
    }),
  )
}

/** `json` is what `encodeTitles` made: a snapshot's digest and its version say so. */
export function decodeTitles(json: unknown): Map<string, CatalogTitle> {
  const titles = (json as EncodedTitle[]).map(
    (title): CatalogTitle => ({
      ...title,
      readiness: new Map(title.readiness.map(([track, ready]) => [track, decodeTrack(ready)])),
      captions: new Map(title.captions),
    }),
  )
  return new Map(titles.map((title) => [title.id, title]))
}

const encodeTrack = (track: TrackReadiness): EncodedTrack => ({
  ...track,
  segments: Array.from(track.segments, (segment) => segment ?? null),
})
const decodeTrack = (track: EncodedTrack): TrackReadiness => ({
  ...track,
  segments: track.segments.map((segment) => segment ?? undefined),
})
