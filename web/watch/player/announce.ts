import type { Snapshot } from './controller.ts'

/** What a screen reader is told when it changes; positions are the seek bar's to tell. */
export function announce({ state, tracks }: Pick<Snapshot, 'state' | 'tracks'>): string {
  const captions = tracks.captions.find((track) => track.id === tracks.chosenCaptions)
  const words = [
    PHASES[state.phase],
    captions === undefined ? '' : `Captions: ${captions.label}.`,
    tracks.chosenHeight === null ? '' : `Quality: ${tracks.chosenHeight}p.`,
  ]
  return words.filter((word) => word !== '').join(' ')
}

const PHASES: Readonly<Record<Snapshot['state']['phase'], string>> = {
  opening: 'The film is starting.',
  blocked: 'Press play to begin.',
  playing: 'Playing.',
  paused: 'Paused.',
  waiting: 'Waiting for the film.',
  ended: 'The film is over.',
  failed: '',
}
