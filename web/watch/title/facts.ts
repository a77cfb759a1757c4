import type { Title } from '../api/types.ts'

/** What is worth knowing before pressing play, shortest first: sharpest picture, captions. Empty until it is known. */
export function describeFacts(title: Pick<Title, 'heights' | 'captions'> | null): string[] {
  if (title === null) return []
  const top = Math.max(0, ...title.heights)
  const labels = title.captions.map((track) => track.label)
  return [...(top > 0 ? [describeHeight(top)] : []), ...(labels.length > 0 ? [`Captions: ${labels.join(', ')}`] : [])]
}

/** `Full HD`, `HD`, else `480p`. */
export function describeHeight(height: number): string {
  if (height >= 2160) return '4K'
  if (height >= 1080) return 'Full HD'
  return height >= 720 ? 'HD' : `${height}p`
}
