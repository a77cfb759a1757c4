/** H.264 levels, Table A-1 of ITU-T H.264: level_idc, MaxMBPS, MaxFS, MaxBR in units of 1000 bits/s (High profile: 1.25 times). */
const LEVELS: readonly (readonly [
  idc: number,
  macroblocksPerSecond: number,
  frameMacroblocks: number,
  rate: number,
])[] = [
  [10, 1_485, 99, 64],
  [11, 3_000, 396, 192],
  [12, 6_000, 396, 384],
  [13, 11_880, 396, 768],
  [20, 11_880, 396, 2_000],
  [21, 19_800, 792, 4_000],
  [22, 20_250, 1_620, 4_000],
  [30, 40_500, 1_620, 10_000],
  [31, 108_000, 3_600, 14_000],
  [32, 216_000, 5_120, 20_000],
  [40, 245_760, 8_192, 20_000],
  [41, 245_760, 8_192, 50_000],
  [42, 522_240, 8_704, 50_000],
  [50, 589_824, 22_080, 135_000],
  [51, 983_040, 36_864, 240_000],
  [52, 2_073_600, 36_864, 240_000],
]

/** The lowest level (times ten) of the High profile that allows this picture. */
export function chooseLevel(picture: {
  width: number
  height: number
  framesPerSecond: number
  bitrateBps: number
}): number {
  const macroblocks = Math.ceil(picture.width / 16) * Math.ceil(picture.height / 16)
  // A.3.1: neither side may exceed sqrt(8 * MaxFS) macroblocks, which very wide or tall pictures reach first.
  const side = Math.ceil(Math.max(picture.width, picture.height) / 16)
  const fits = LEVELS.find(
    ([, perSecond, frame, rate]) =>
      macroblocks <= frame &&
      side * side <= 8 * frame &&
      macroblocks * picture.framesPerSecond <= perSecond &&
      picture.bitrateBps <= rate * 1250,
  )
  return fits?.[0] ?? 52
}

/** RFC 6381: profile_idc 100 (High), no constraint flags, the level. */
export function toAvcCodec(levelIdc: number): string {
  return `avc1.6400${levelIdc.toString(16).padStart(2, '0')}`
}

/** The level an `avc1.…` string names, as ffmpeg's `-level` wants it: `3.1`. */
export function levelOf(codec: string): string {
  return (Number.parseInt(codec.slice(-2), 16) / 10).toFixed(1)
}
