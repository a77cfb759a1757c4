import { expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { parseChecksum } from './checksum.ts'
import { parseIntent } from './metadata.ts'

const titleId = '0123456789abcdef'
const valid = { titleId, role: 'film', filename: 'film.mp4' }

test('an intent has its defaults, and a file name is never a path', () => {
  expect(parseIntent(valid)).toEqual({
    ok: true,
    intent: { titleId, role: 'film', fileName: 'film.mp4', language: 'und', label: 'und' },
  })
  const names: [string, string][] = [
    ['../../etc/passwd', 'passwd'],
    ['C:\\films\\a.mov', 'a.mov'],
    ['a/', 'upload'],
  ]
  for (const [filename, fileName] of names)
    expect(parseIntent({ ...valid, filename })).toMatchObject({ intent: { fileName } })
  expect(parseIntent({ ...valid, role: 'captions', language: 'pt-BR', label: '' })).toMatchObject({
    intent: { language: 'pt-BR', label: 'pt-BR' },
  })
})

const faulty: readonly [string, Record<string, string | null> | undefined, string[]][] = [
  ['nothing', undefined, ['titleId', 'role', 'filename']],
  ['an empty field', { ...valid, filename: '' }, ['filename']],
  ['a field without a value', { ...valid, role: null }, ['role']],
  ['a title id that is none', { ...valid, titleId: '../x' }, ['titleId']],
  ['a language that is none', { ...valid, language: 'de_DE;' }, ['language']],
  ['a name without end', { ...valid, filename: 'x'.repeat(256) }, ['filename']],
]
for (const [name, metadata, fields] of faulty) {
  test(`metadata with ${name} names the fields at fault`, () => {
    const parsed = parseIntent(metadata)
    expect(parsed.ok).toBe(false)
    if (!parsed.ok)
      expect(parsed.errors.map((error) => error.pointer)).toEqual(fields.map((field) => `/Upload-Metadata/${field}`))
  })
}

test('a checksum is an algorithm we offer and a digest of its length', () => {
  const digest = createHash('sha1').update('x').digest('base64')
  expect(parseChecksum(null)).toBeNull()
  expect(parseChecksum(`sha1 ${digest}`)).toMatchObject({ algorithm: 'sha1' })
  for (const header of [
    '',
    'sha1',
    `sha256 ${digest}`,
    `md5 ${digest}`,
    `sha1 ${digest} x`,
    'sha1 !!!',
    `SHA1 ${digest}`,
  ])
    expect(parseChecksum(header)).toBe('invalid')
})
