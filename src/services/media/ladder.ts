import type { Rendition, Rung } from '../../contracts/index.ts'
import { chooseLevel, toAvcCodec } from './avc.ts'

/** The picture as a viewer sees it: rotation applied, square pixels. */
export type DisplaySize = { readonly width: number; readonly height: number }

const HEIGHT_MAX = 1080
/** A banner of extreme shape must not make a rung wider than any decoder takes. */
const WIDTH_MAX = 3840
const SIDE_MIN = 16

/** Display size of a coded picture with sample aspect and a rotation in degrees. */
export function toDisplaySize(coded: {
  width: number
  height: number
  sampleAspect: number
  rotation: number
}): DisplaySize {
  const width = Math.max(1, Math.round(coded.width * coded.sampleAspect))
  const turned = Math.abs(Math.round(coded.rotation / 90)) % 2 === 1
  return turned ? { width: coded.height, height: width } : { width, height: coded.height }
}

/**
 * The rungs of one film, lowest first: those of the ladder at most as high as the source. A source below the lowest rung
 * gets one rung of its own height, with the lowest rung's bitrate.
 */
export function chooseRenditions(
  ladder: readonly Rung[],
  source: DisplaySize,
  framesPerSecond: number,
): readonly Rendition[] {
  const sorted = [...ladder].sort((left, right) => left.height - right.height)
  const heightMax = Math.min(HEIGHT_MAX, toEven(source.height), heightAtWidth(source, WIDTH_MAX))
  const fitting = sorted.filter((rung) => rung.height <= heightMax)
  const lowest = sorted[0]
  const rungs = fitting.length > 0 || !lowest ? fitting : [{ ...lowest, height: heightMax }]
  const byHeight = new Map(rungs.map((rung) => [rung.height, rung]))
  return [...byHeight.values()].map((rung) => toRendition(rung, source, framesPerSecond))
}

function toRendition(rung: Rung, source: DisplaySize, framesPerSecond: number): Rendition {
  const exact = (rung.height * source.width) / source.height
  const width = Math.min(WIDTH_MAX, Math.max(SIDE_MIN, 2 * Math.ceil(exact / 2 - 0.5)))
  const { height, bitrateBps } = rung
  const level = chooseLevel({ width, height, framesPerSecond, bitrateBps })
  return { id: `v${height}`, width, height, bitrateBps, codec: toAvcCodec(level) }
}

/** The next even number not above, at least 16: 4:2:0 has no odd sides, and encoders no smaller pictures. */
function toEven(value: number): number {
  return Math.max(SIDE_MIN, 2 * Math.floor(value / 2))
}

function heightAtWidth(source: DisplaySize, width: number): number {
  return source.width <= width ? Number.POSITIVE_INFINITY : toEven((width * source.height) / source.width)
}
