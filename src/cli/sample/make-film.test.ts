import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { makeSampleFilm } from './make-film.ts'

async function probe(...args: string[]): Promise<string> {
  const child = Bun.spawn(['ffprobe', '-v', 'error', ...args], { stdout: 'pipe', stderr: 'inherit' })
  return (await new Response(child.stdout).text()).trim()
}

test('the sample has picture, audible sound, captions, and its length', async () => {
  const { film, captions, remove } = await makeSampleFilm({ seconds: 4 })
  try {
    const streams = await probe('-show_entries', 'stream=codec_name,width,height', '-of', 'csv=p=0', film)
    expect(streams.split('\n')).toEqual(['h264,1280,720', 'aac'])
    const seconds = Number(await probe('-show_entries', 'format=duration', '-of', 'csv=p=0', film))
    expect(Math.abs(seconds - 4)).toBeLessThan(0.1)
    const levels = Bun.spawn(['ffmpeg', '-hide_banner', '-i', film, '-vn', '-af', 'volumedetect', '-f', 'null', '-'], {
      stderr: 'pipe',
      stdout: 'ignore',
    })
    const mean = Number(/mean_volume: (-?[\d.]+) dB/.exec(await new Response(levels.stderr).text())?.[1])
    expect(mean).toBeGreaterThan(-30)
    expect(readFileSync(captions, 'utf8')).toMatch(/^1\n00:00:00,000 --> 00:00:00,250\n/)
  } finally {
    await remove()
  }
}, 60_000)

test('told to stop, it stops and leaves nothing', async () => {
  const stop = new AbortController()
  const making = makeSampleFilm({ signal: stop.signal })
  stop.abort()
  expect(await making.catch((error: { code: string }) => error.code)).toBe('sample-failed')
})
