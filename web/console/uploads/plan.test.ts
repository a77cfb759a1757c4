import { expect, test } from 'bun:test'
import { planUploads, toName } from './plan.ts'

const files = (...names: string[]) => names.map((name) => ({ name }))
const check = (names: string[]) => {
  const plan = planUploads(files(...names))
  return {
    uploads: plan.uploads.map(({ film, captions }) => [
      film.name,
      ...captions.map(({ file, language, label }) => `${file.name} ${language} ${label}`),
    ]),
    orphans: plan.orphans.map(({ name }) => name),
  }
}

test('captions go with the film of their name', () => {
  expect(check(['b.mov', 'a.mp4', 'a.en.srt', 'A.pt-BR.vtt', 'b.srt', 'c.de.srt'])).toEqual({
    uploads: [
      ['b.mov', 'b.srt und Captions'],
      ['a.mp4', 'a.en.srt en English', 'A.pt-BR.vtt pt-BR Brazilian Portuguese'],
    ],
    orphans: ['c.de.srt'],
  })
})

test('with one film, all captions are its', () => {
  expect(check(['film.mp4', 'something.de.srt'])).toEqual({
    uploads: [['film.mp4', 'something.de.srt de German']],
    orphans: [],
  })
})

test('captions alone are no upload; what is not a film is the platform’s to refuse', () => {
  expect(check(['a.srt'])).toEqual({ uploads: [], orphans: ['a.srt'] })
  expect(check(['notes.txt']).uploads).toEqual([['notes.txt']])
})

test.each([
  ['Big_Buck.Bunny-2008.mp4', 'Big Buck Bunny 2008'],
  ['film', 'film'],
  ['.mp4', 'mp4'],
  ['---.mp4', '---.mp4'],
  [`${'x'.repeat(300)}.mp4`, 'x'.repeat(200)],
])('%p is called %p', (fileName, expected) => {
  expect(toName(fileName)).toBe(expected)
})
