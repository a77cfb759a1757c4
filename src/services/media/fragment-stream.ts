import { parseBoxHeader } from './boxes.ts'
import { type Fragment, parseFragment, parseTrackHeader, type TrackHeader } from './fragments.ts'

/** What has become whole since the last bytes. */
export type StreamedFragments = {
  readonly header: { readonly init: Uint8Array; readonly track: TrackHeader } | null
  readonly fragments: readonly Fragment[]
}

export type FragmentStream = {
  /** Takes the next bytes. A string says what is wrong; nothing may be taken after it. */
  push(bytes: Uint8Array): StreamedFragments | string
  /** Bytes of something begun and not ended. */
  pending(): number
}

/** Takes a fragmented MP4 apart as it is being written. Holds one fragment at most, bounded by `bytesMax`. */
export function createFragmentStream(bytesMax: number): FragmentStream {
  let held: Uint8Array = new Uint8Array()
  let head = 0
  let header: StreamedFragments['header'] = null

  return {
    pending: () => held.length,
    push(bytes) {
      held = held.length === 0 ? bytes : Buffer.concat([held, bytes])
      if (held.length > bytesMax) return `a fragment exceeds ${bytesMax} bytes`
      const fragments: Fragment[] = []
      for (;;) {
        const box = parseBoxHeader(held, head, Number.POSITIVE_INFINITY)
        if (!box || box.end > held.length) return { header, fragments }
        if (box.type === 'mfra') {
          held = held.slice(box.end)
          head = 0
          continue
        }
        if (box.type !== 'mdat') {
          // Kept in front until its mdat is whole; the moov ends the header.
          head = box.end
          if (box.type !== 'moov') continue
          const init = held.slice(0, box.end)
          const track = parseTrackHeader(init)
          if (typeof track === 'string') return track
          header = { init, track }
        } else {
          const fragment = parseFragment(held, parseBoxHeader(held, 0, held.length) ?? undefined, box)
          if (typeof fragment === 'string') return fragment
          fragments.push(fragment)
        }
        held = held.slice(box.end)
        head = 0
      }
    },
  }
}
