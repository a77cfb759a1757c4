import { expect, test } from 'bun:test'
import { type Client, createClient } from './client.ts'

/** Every request is answered with this text. */
function clientOf(text: string): Client {
  const bytes = new TextEncoder().encode(text)
  return createClient({
    limits: { apiTimeoutMs: 1, mediaTimeoutMs: 1 },
    send: async () => ({ kind: 'answered', status: 200, bytes, beganMs: 0 }),
  })
}

const MAIN = [
  '#EXTM3U',
  '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="Sound",DEFAULT=YES,URI="a0.m3u8"',
  '#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO="audio"',
  'v240.m3u8',
  '#EXT-X-STREAM-INF:BANDWIDTH=2,AUDIO="audio"',
  'v360.m3u8',
].join('\n')
const TRACK = ['#EXTM3U', '#EXT-X-MAP:URI="v240/init.mp4"', '#EXTINF:2,', 'v240/0.m4s', '#EXT-X-ENDLIST'].join('\n')

test('tracks are paths beside the main playlist: the variants, then the sound', async () => {
  expect(await clientOf(MAIN).tracks('/v/T/x/main.m3u8')).toEqual({
    kind: 'fine',
    value: ['/v/T/x/v240.m3u8', '/v/T/x/v360.m3u8', '/v/T/x/a0.m3u8'],
  })
})

test('files of a track are paths from the main playlist, wherever the track lies', async () => {
  expect(await clientOf(TRACK).files('/v/T/x/v240.m3u8')).toEqual({
    kind: 'fine',
    value: { init: '/v/T/x/v240/init.mp4', segments: ['/v/T/x/v240/0.m4s'] },
  })
  expect(await clientOf(TRACK.replaceAll('v240/', '')).files('/v/T/x/deep/v240.m3u8')).toMatchObject({
    value: { init: '/v/T/x/deep/init.mp4', segments: ['/v/T/x/deep/0.m4s'] },
  })
})

test.each([
  ['a page as main playlist', 'tracks', '<!doctype html>', '#EXTM3U'],
  ['a main playlist of nothing', 'tracks', '#EXTM3U', 'no variant'],
  ['a track that leads elsewhere', 'tracks', MAIN.replace('v240.m3u8', '/v/other/x/v240.m3u8'), 'does not lie'],
  ['a track without an end', 'files', TRACK.replace('#EXT-X-ENDLIST', ''), 'ENDLIST'],
  ['a track without a header', 'files', TRACK.replace(/#EXT-X-MAP.*\n/, ''), 'EXT-X-MAP'],
] as const)('refused: %s', async (_, what, text, why) => {
  const got = await clientOf(text)[what]('/v/SECRET/x/a.m3u8')
  expect(got).toMatchObject({ kind: 'refused', why: expect.stringContaining(why) })
  expect(JSON.stringify(got)).not.toContain('SECRET')
})
