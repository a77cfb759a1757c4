import { expect, test } from 'bun:test'
import { decodeText, parseCaptions, toWebVtt } from './captions.ts'

const convert = (text: string | Uint8Array, shiftMs = 0): string => {
  const parsed = parseCaptions(typeof text === 'string' ? Buffer.from(text) : text)
  if (!parsed.ok) throw new Error(parsed.message)
  return toWebVtt(parsed.cues, shiftMs)
}
const SRT =
  '1\r\n00:00:01,000 --> 00:00:02,500\r\nHello\r\nthere\r\n\r\n2\r\n00:00:03,000 --> 00:00:04,000\r\n<i>Bye</i>\r\n'

test.each<[string, string, string]>([
  ['SubRip', SRT, '00:00:01.000 --> 00:00:02.500\nHello\nthere\n\n00:00:03.000 --> 00:00:04.000\n<i>Bye</i>\n'],
  ['short WebVTT times', 'WEBVTT\n\n00:01.000 --> 00:02.000\nx\n', '00:00:01.000 --> 00:00:02.000\nx\n'],
  [
    'settings that place a cue',
    'WEBVTT\n\n00:01.000 --> 00:02.000 line:80% bogus:1\nx\n',
    '00:00:01.000 --> 00:00:02.000 line:80%\nx\n',
  ],
  [
    'scripts and fonts',
    '1\n00:00:01,000 --> 00:00:02,000\n<script>alert(1)</script><font color="x">a</font> & b < c\n',
    '00:00:01.000 --> 00:00:02.000\nalert(1)a &amp; b &lt; c\n',
  ],
  ['ASS overrides', '1\n00:00:01,000 --> 00:00:02,000\n{\\an8}up\n', '00:00:01.000 --> 00:00:02.000\nup\n'],
  [
    'styles and notes',
    'WEBVTT\n\nSTYLE\n::cue{color:red}\n\nNOTE no\n\n00:01.000 --> 00:02.000\nx\n',
    '00:00:01.000 --> 00:00:02.000\nx\n',
  ],
  [
    'cues out of order',
    '1\n00:00:05,000 --> 00:00:06,000\nb\n\n2\n00:00:01,000 --> 00:00:02,000\na\n',
    '00:00:01.000 --> 00:00:02.000\na\n\n00:00:05.000 --> 00:00:06.000\nb\n',
  ],
  [
    'cues that end before they begin',
    '1\n00:00:05,000 --> 00:00:04,000\nb\n\n2\n00:00:01,000 --> 00:00:02,000\na\n',
    '00:00:01.000 --> 00:00:02.000\na\n',
  ],
])('%s', (_, input, expected) => expect(convert(input)).toBe(`WEBVTT\n\n${expected}`))

test('encodings: UTF-8, its mark, UTF-16, and Windows-1252 where it is none of them', () => {
  expect(decodeText(Buffer.from('naïve'))).toBe('naïve')
  expect(decodeText(Buffer.from('\uFEFFnaïve'))).toBe('naïve')
  expect(decodeText(Buffer.from('\uFEFFnaïve', 'utf16le'))).toBe('naïve')
  expect(decodeText(Buffer.from([0x6e, 0x61, 0xef, 0x76, 0x65, 0x80]))).toBe('naïve€')
})

test('shifted to where the picture begins; what lies before is cut', () => {
  expect(convert(SRT, -2_000)).toBe(
    'WEBVTT\n\n00:00:00.000 --> 00:00:00.500\nHello\nthere\n\n00:00:01.000 --> 00:00:02.000\n<i>Bye</i>\n',
  )
})

test.each(['', 'just words', '<html></html>'])('refused: %p', (text) => {
  expect(parseCaptions(Buffer.from(text)).ok).toBe(false)
})

test('a WebVTT file without cues is one', () => expect(convert('WEBVTT\n')).toBe('WEBVTT\n'))
