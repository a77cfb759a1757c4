import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { createPlaylistMemo, parseMainPlaylist, parseMediaPlaylist } from './playlists.ts'

const MAIN = `#EXTM3U
#EXT-X-VERSION:7
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="Sound, with a comma",LANGUAGE="und",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="a0.m3u8"
#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="captions",NAME="English",LANGUAGE="en",URI="c0.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=700000,AVERAGE-BANDWIDTH=600000,CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=426x240,FRAME-RATE=24.000,AUDIO="audio",CLOSED-CAPTIONS=NONE
v240.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=1800000,RESOLUTION=854x480,AUDIO="audio"
v480.m3u8
`
const MEDIA = `#EXTM3U
#EXT-X-VERSION:7
#EXT-X-TARGETDURATION:2
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-PLAYLIST-TYPE:VOD
#EXT-X-MAP:URI="v240/init.mp4"
#EXTINF:1.960292,
v240/0.m4s
#EXTINF:2,a name
v240/1.m4s
#EXT-X-ENDLIST
`

test('a main playlist', () => {
  expect(parseMainPlaylist(MAIN)).toEqual({
    ok: true,
    playlist: {
      variants: [
        { file: 'v240.m3u8', bandwidthBps: 700_000, height: 240 },
        { file: 'v480.m3u8', bandwidthBps: 1_800_000, height: 480 },
      ],
      audioFile: 'a0.m3u8',
    },
  })
})

test('a media playlist, whose segments end where the durations say', () => {
  const expected = { initFile: 'v240/init.mp4', segmentFiles: ['v240/0.m4s', 'v240/1.m4s'] }
  for (const text of [MEDIA, MEDIA.replaceAll('\n', '\r\n'), MEDIA.trimEnd()]) {
    const result = parseMediaPlaylist(text, 'v240.m3u8')
    expect(result).toMatchObject({ ok: true, playlist: expected })
    if (!result.ok) continue
    expect(result.playlist.endsMs[0]).toBeCloseTo(1_960.292, 6)
    expect(result.playlist.endsMs[1]).toBeCloseTo(3_960.292, 6)
  }
})

test("files are named from the main playlist's directory, also by a playlist that lies deeper", () => {
  const text = '#EXTM3U\n#EXT-X-MAP:URI="./init.mp4"\n#EXTINF:1,\n./0.m4s?part=../1\n#EXT-X-ENDLIST\n'
  expect(parseMediaPlaylist(text, 'video/low/index.m3u8')).toMatchObject({
    ok: true,
    playlist: { initFile: 'video/low/init.mp4', segmentFiles: ['video/low/0.m4s?part=../1'] },
  })
})

test.each([
  ['no audio', MAIN.replace(/#EXT-X-MEDIA:TYPE=AUDIO.*\n/, ''), null],
  ['audio inside the variants', MAIN.replace(',URI="a0.m3u8"', ''), null],
  [
    'the default of several',
    MAIN.replace('#EXT-X-MEDIA', '#EXT-X-MEDIA:TYPE=AUDIO,URI="x.m3u8"\n#EXT-X-MEDIA'),
    'a0.m3u8',
  ],
  [
    'the first of several',
    MAIN.replace('DEFAULT=YES', 'DEFAULT=NO').replace(
      '#EXT-X-MEDIA',
      '#EXT-X-MEDIA:TYPE=AUDIO,URI="x.m3u8"\n#EXT-X-MEDIA',
    ),
    'x.m3u8',
  ],
])('sound: %s', (_, text, audioFile) => {
  expect(parseMainPlaylist(text)).toMatchObject({ ok: true, playlist: { audioFile } })
})

/** Whatever these stand for, it is not a file beside the playlist. */
const FOREIGN: readonly string[] = [
  '/v/other/title/0.m4s',
  '//other.example/0.m4s',
  'http://other.example/0.m4s',
  'HTTPS:x',
  'data:,x',
  '..',
  '../0.m4s',
  'a/../../0.m4s',
  'a/../0.m4s',
  '%2e%2e/0.m4s',
  '.%2E/0.m4s',
  'a%2f..%2f0.m4s',
  'a%5c..',
  'a\\..\\0.m4s',
  'a//0.m4s',
  'a/',
  '.',
  '?x',
  '0.m4s#t',
  'a b',
  'a\tb',
  'é.m4s',
  'a\u0000b',
  'x'.repeat(1_025),
]
test.each(FOREIGN)('the address %j is refused wherever it stands', (uri) => {
  const results = [
    parseMainPlaylist(MAIN.replace('v480.m3u8', uri)),
    parseMainPlaylist(MAIN.replace('a0.m3u8', uri)),
    parseMediaPlaylist(MEDIA.replace('v240/1.m4s', uri), 'v240.m3u8'),
    parseMediaPlaylist(MEDIA.replace('v240/init.mp4', uri), 'v240.m3u8'),
  ]
  for (const result of results) {
    expect(result.ok ? 'taken' : result.why).toContain("does not lie in the main playlist's directory")
  }
})

test.each([
  ['nothing', ''],
  ['a page', '<!doctype html>'],
  ['a media playlist', MEDIA],
  ['no variant', '#EXTM3U\n'],
  ['an address of nothing', MAIN.replace(/#EXT-X-STREAM-INF.*\n/, '')],
  ['a variant without an address', '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n'],
  ['no bandwidth', MAIN.replace('BANDWIDTH=700000,', '')],
  ['a bandwidth of 0', MAIN.replace('BANDWIDTH=700000', 'BANDWIDTH=0')],
  ['a bandwidth of letters', MAIN.replace('BANDWIDTH=700000', 'BANDWIDTH=1e9')],
])('no main playlist: %s', (_, text) => {
  expect(parseMainPlaylist(text)).toEqual({ ok: false, why: expect.stringMatching(/./) })
})

const NOT_MEDIA: readonly (readonly [what: string, text: string, why: RegExp])[] = [
  ['nothing', '', /no playlist/],
  ['a main playlist', MAIN, /main playlist/],
  ['no segment', '#EXTM3U\n#EXT-X-ENDLIST\n', /no segment/],
  ['a channel', MEDIA.replace('#EXT-X-ENDLIST\n', ''), /ENDLIST/],
  ['an address without a duration', MEDIA.replace(/#EXTINF.*\n/, ''), /EXTINF/],
  ['a duration without an address', MEDIA.replace('v240/1.m4s\n', ''), /EXTINF/],
  ['a duration of 0', MEDIA.replace('#EXTINF:2,', '#EXTINF:0,'), /duration/],
  ['a negative duration', MEDIA.replace('#EXTINF:2,', '#EXTINF:-2,'), /duration/],
  ['a duration of letters', MEDIA.replace('#EXTINF:2,', '#EXTINF:2e9,'), /duration/],
  ['a duration of days', MEDIA.replace('#EXTINF:2,', '#EXTINF:900000,'), /duration/],
  ['parts of files', MEDIA.replace('#EXTINF:2', '#EXT-X-BYTERANGE:5@0\n#EXTINF:2'), /BYTERANGE/],
  ['an init that is a part', MEDIA.replace('init.mp4"', 'init.mp4",BYTERANGE="5@0"'), /part/],
  ['two inits', MEDIA.replace('#EXTINF:2', '#EXT-X-MAP:URI="x.mp4"\n#EXTINF:2'), /more than one/],
  ['an init without an address', MEDIA.replace(/MAP:.*\n/, 'MAP:X=1\n'), /address ""/],
]
test.each(NOT_MEDIA)('no media playlist: %s', (_, text, why) => {
  expect(parseMediaPlaylist(text, 'v240.m3u8')).toEqual({ ok: false, why: expect.stringMatching(why) })
})

test('hostile text: no throw, and no file outside the directory', () => {
  const words = fc.constantFrom(
    ...[
      '#EXTM3U\n',
      '#EXTINF:',
      '#EXT-X-STREAM-INF:',
      '#EXT-X-MAP:',
      '#EXT-X-MEDIA:TYPE=AUDIO,',
      'URI="',
      '"',
      ',',
      '\n',
    ],
    ...[
      'BANDWIDTH=9',
      '2',
      'v240',
      '/',
      '..',
      '.',
      '%2e',
      ':',
      '?',
      '__proto__',
      'constructor',
      '#EXT-X-ENDLIST\n',
      '\r',
    ],
  )
  const hostile = fc.oneof(
    fc
      .array(fc.oneof(words, fc.string({ unit: 'binary', maxLength: 4 })), { maxLength: 40 })
      .map((parts) => `#EXTM3U\n${parts.join('')}`),
    fc
      .tuple(fc.constantFrom(MAIN, MEDIA), fc.nat(500), fc.string())
      .map(([text, at, put]) => text.slice(0, at) + put + text.slice(at)),
    fc.string({ unit: 'binary' }),
  )
  fc.assert(
    fc.property(hostile, (text) => {
      const main = parseMainPlaylist(text)
      const media = parseMediaPlaylist(text, 'deep/v240.m3u8')
      const files = [
        ...(main.ok ? [...main.playlist.variants.map(({ file }) => file), main.playlist.audioFile] : []),
        ...(media.ok ? [...media.playlist.segmentFiles, media.playlist.initFile] : []),
      ]
      for (const file of files) {
        if (file === null) continue
        const { origin, pathname } = new URL(file, 'http://target/v/TOKEN/title/')
        expect(origin).toBe('http://target')
        expect(pathname).toStartWith('/v/TOKEN/title/')
      }
      if (media.ok) expect(media.playlist.endsMs).toEqual([...media.playlist.endsMs].sort((a, b) => a - b))
    }),
    { numRuns: 5_000 },
  )
})

test.each([
  ['attributes', `#EXTM3U\n#EXT-X-STREAM-INF:${'A="'.repeat(300_000)}\nx\n`],
  ['names', `#EXTM3U\n#EXT-X-STREAM-INF:${'A'.repeat(1_000_000)}\nx\n`],
  ['digits', `#EXTM3U\n#EXTINF:${'1'.repeat(1_000_000)}\nx\n`],
  ['spaces', `#EXTM3U\n#EXTINF:1,${' '.repeat(1_000_000)}x\nx\n`],
  ['lines', `#EXTM3U${'\n'.repeat(1_000_000)}`],
  ['dots', `#EXTM3U\n#EXTINF:1,\n${'./'.repeat(500_000)}\n`],
])('a megabyte of %s costs what a megabyte costs', (_, text) => {
  const startMs = performance.now()
  parseMainPlaylist(text)
  parseMediaPlaylist(text, 'x.m3u8')
  // Anything that tries twice takes minutes; a slow machine takes a tenth of this.
  expect(performance.now() - startMs).toBeLessThan(2_000)
})

test('the same text is the same object, as long as it is remembered', () => {
  const memo = createPlaylistMemo({ entriesMax: 2 })
  const copy = (text: string): string => Buffer.from(text).toString()
  const first = memo.media(MEDIA, 'v240.m3u8')
  expect(memo.media(copy(MEDIA), 'v240.m3u8')).toBe(first)
  expect(memo.main(MAIN)).toBe(memo.main(copy(MAIN)))
  expect(memo.main('x')).toBe(memo.main('x'))

  const deeper = memo.media(MEDIA, 'deep/v240.m3u8')
  expect(deeper).toMatchObject({ playlist: { initFile: 'deep/v240/init.mp4' } })
  memo.media(MEDIA, 'v240.m3u8')
  memo.media(MEDIA, 'other/v240.m3u8')
  // The longest unused has gone, the one asked for in between has not.
  expect(memo.media(MEDIA, 'v240.m3u8')).toBe(first)
  expect(memo.media(MEDIA, 'deep/v240.m3u8')).not.toBe(deeper)
})
