/** One place in one file of `src`: `before` must be found there exactly once, or the defect would vanish without a word. */
export type Patch = { readonly file: string; readonly before: string; readonly after: string }

export const DEFECTS = ['drops-events', 'unsigned-segment', 'unplayable-title'] as const
export type Defect = (typeof DEFECTS)[number]

/** What makes `unplayable-title` pick a title. */
export const BROKEN_NAME = 'Broken'

/** Builds that break a promise, each in a way that its own processes do not notice. */
export const PATCHES: Readonly<Record<Defect, readonly Patch[]>> = {
  /** Of the sessions, and of the signals, of each process, every hundredth is acknowledged and never appended. */
  'drops-events': [
    {
      file: 'src/hub/publisher.ts',
      before: 'export function createPublisher(',
      after: `const counts: Record<string, number> = {}
        function isDropped(type: string): boolean {
          if (!type.startsWith('tentpole.playback.')) return false
          counts[type] = (counts[type] ?? 0) + 1
          return counts[type] % 100 === 0
        }
        export function createPublisher(`,
    },
    {
      file: 'src/hub/publisher.ts',
      before: 'await log.append(topicOf(type), ',
      after: 'if (!isDropped(type)) await log.append(topicOf(type), ',
    },
    {
      file: 'src/hub/publisher.ts',
      before: 'const topic = topicOf(event.type)',
      after: 'if (isDropped(event.type)) continue; const topic = topicOf(event.type)',
    },
  ],
  /** A signature that does not verify is as good as one that does. */
  'unsigned-segment': [
    {
      file: 'src/contracts/path-token.ts',
      before: "return { ok: false, code: 'bad-signature' }",
      after: 'void 0',
    },
  ],
  /** A title is listed, begins, and has no segments: its name says which. */
  'unplayable-title': [
    {
      file: 'src/services/playback/media-file.ts',
      before: 'if (!timeline || index >= timeline.count) return UNKNOWN',
      after: `if (!timeline || index >= timeline.count || title.metadata.name.includes('${BROKEN_NAME}')) return UNKNOWN`,
    },
  ],
}

/** Throws unless `before` is there exactly once. */
export function applyPatch(source: string, { file, before, after }: Patch): string {
  const found = source.split(before).length - 1
  if (found !== 1)
    throw new Error(
      `a planted defect: expected ${JSON.stringify(before)} once in ${file}, found it ${found} times; move the defect to where the code is now (test/storm/defects.ts)`,
    )
  return source.replace(before, () => after)
}
