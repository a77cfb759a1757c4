/** Addresses of a main playlist's tracks, as paths on the target: the variants in their order, then the sound. */
export function parseTracks(text: string, path: string): readonly string[] | null {
  if (!text.startsWith('#EXTM3U')) return null
  const lines = text.split('\n').map((line) => line.trim())
  const variants = lines.flatMap((line, at) => (line.startsWith('#EXT-X-STREAM-INF:') ? [lines[at + 1] ?? ''] : []))
  const audio = lines.flatMap((line) => {
    const uri = /^#EXT-X-MEDIA:(?=.*TYPE=AUDIO).*URI="([^"]+)"/.exec(line)?.[1]
    return uri === undefined ? [] : [uri]
  })
  const tracks = [...variants, ...audio]
  return variants.length === 0 || tracks.includes('') ? null : tracks.map((file) => resolvePath(file, path))
}

export type TrackFiles = { readonly init: string; readonly segments: readonly string[] }

/** A whole track's files, as paths on the target; null when the playlist is none, or not one of the whole film. */
export function parseTrackFiles(text: string, path: string): TrackFiles | null {
  if (!text.startsWith('#EXTM3U') || !/^#EXT-X-ENDLIST\s*$/m.test(text)) return null
  const init = /^#EXT-X-MAP:.*URI="([^"]+)"/m.exec(text)?.[1]
  const lines = text.split('\n').map((line) => line.trim())
  const segments = lines.flatMap((line, at) => (line.startsWith('#EXTINF:') ? [lines[at + 1] ?? ''] : []))
  if (init === undefined || segments.length === 0 || segments.includes('')) return null
  return { init: resolvePath(init, path), segments: segments.map((file) => resolvePath(file, path)) }
}

function resolvePath(file: string, path: string): string {
  const { pathname, search } = new URL(file, `http://target${path}`)
  return pathname + search
}
