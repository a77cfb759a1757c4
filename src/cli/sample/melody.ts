const SAMPLE_RATE = 48_000
const BEAT_SECONDS = 0.5
/** Scale steps above the root, one a beat; null is a rest. */
const TUNE = [
  0,
  2,
  4,
  7,
  4,
  2,
  4,
  null,
  5,
  7,
  9,
  12,
  9,
  7,
  5,
  null,
  4,
  5,
  7,
  12,
  11,
  9,
  7,
  null,
  9,
  7,
  5,
  4,
  2,
  4,
  0,
  null,
]
/** One chord a bar of four beats. */
const CHORDS = [
  [0, 4, 7],
  [9, 12, 16],
  [5, 9, 12],
  [7, 11, 14],
]
const ROOT_HERTZ = 261.63

export const MELODY_FORMAT: readonly string[] = ['-f', 's16le', '-ar', String(SAMPLE_RATE), '-ac', '2']

/** A small tune over its chords, as interleaved 16-bit stereo: something to hear that is not a test tone. */
export function renderMelody(seconds: number): Uint8Array {
  const mix = new Float32Array(seconds * SAMPLE_RATE)
  const beats = Math.floor(seconds / BEAT_SECONDS)
  for (let beat = 0; beat < beats; beat++) {
    const step = TUNE[beat % TUNE.length]
    if (step !== null && step !== undefined) addNote(mix, { at: beat, beats: 1.6, step: step + 12, gain: 0.22 })
    if (beat % 4 === 0) {
      for (const tone of CHORDS[(beat / 4) % CHORDS.length] ?? [])
        addNote(mix, { at: beat, beats: 4.2, step: tone - 12, gain: 0.09 })
    }
  }
  const pcm = new Int16Array(mix.length * 2)
  for (let index = 0; index < mix.length; index++) {
    const sample = Math.tanh(mix[index] ?? 0) * 32_000
    pcm[2 * index] = sample
    // A little later on the right: width.
    pcm[2 * index + 1] = Math.tanh(mix[index - 400] ?? 0) * 32_000
  }
  return new Uint8Array(pcm.buffer)
}

function addNote(mix: Float32Array, note: { at: number; beats: number; step: number; gain: number }): void {
  const start = Math.round(note.at * BEAT_SECONDS * SAMPLE_RATE)
  const length = Math.round(note.beats * BEAT_SECONDS * SAMPLE_RATE)
  const radians = (2 * Math.PI * ROOT_HERTZ * 2 ** (note.step / 12)) / SAMPLE_RATE
  for (let index = 0; index < length && start + index < mix.length; index++) {
    const seconds = index / SAMPLE_RATE
    const envelope = Math.min(1, seconds * 60) * Math.exp(-2.4 * seconds) * Math.min(1, (length - index) / 2_000)
    const phase = radians * index
    const tone = Math.sin(phase) + 0.35 * Math.sin(2 * phase) + 0.12 * Math.sin(3 * phase)
    mix[start + index] = (mix[start + index] ?? 0) + note.gain * envelope * tone
  }
}
