/** A file of captions and what it says of itself by its name. */
export type CaptionsFile<F> = { readonly file: F; readonly language: string; readonly label: string }
export type PlannedUpload<F> = {
  readonly name: string
  readonly film: F
  readonly captions: readonly CaptionsFile<F>[]
}
export type UploadPlan<F> = {
  readonly uploads: readonly PlannedUpload<F>[] /** Captions that no film goes with. */
  readonly orphans: readonly F[]
}

const CAPTIONS = /\.(srt|vtt)$/i
const NAME_MAX = 200

/**
 * Sorts dropped files into films and the captions that go with them: `film.en.srt` goes with `film.mp4`, and everything
 * goes with the film when there is only one. Whether a film is a film is the platform's to say.
 */
export function planUploads<F extends { readonly name: string }>(files: readonly F[]): UploadPlan<F> {
  const films = files.filter((file) => !CAPTIONS.test(file.name))
  const captions = files.filter((file) => CAPTIONS.test(file.name)).map((file) => ({ file, ...readName(file.name) }))
  const claimed = new Set<F>()
  const uploads = films.map((film) => {
    const own = films.length === 1 ? captions : captions.filter(({ stem }) => stem === stemOf(film.name).toLowerCase())
    for (const { file } of own) claimed.add(file)
    return {
      name: toName(film.name),
      film,
      captions: own.map(({ file, language }) => ({ file, language, label: labelOf(language) })),
    }
  })
  return { uploads, orphans: captions.filter(({ file }) => !claimed.has(file)).map(({ file }) => file) }
}

/** `Big_Buck.Bunny-2008.mp4` → `Big Buck Bunny 2008`: a name to begin with. */
export function toName(fileName: string): string {
  const words = stemOf(fileName)
    .replace(/[._-]+/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
  return (words === '' ? fileName : words).slice(0, NAME_MAX)
}

function stemOf(fileName: string): string {
  return fileName.replace(/(?<=.)\.[^.]*$/, '')
}

function readName(fileName: string): { stem: string; language: string } {
  const stem = stemOf(fileName)
  const [, base, language] = /^(.+)\.([A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*)$/.exec(stem) ?? []
  return base === undefined || language === undefined
    ? { stem: stem.toLowerCase(), language: 'und' }
    : { stem: base.toLowerCase(), language }
}

function labelOf(language: string): string {
  if (language === 'und') return 'Captions'
  try {
    return new Intl.DisplayNames(['en'], { type: 'language' }).of(language) ?? language
  } catch {
    return language
  }
}
