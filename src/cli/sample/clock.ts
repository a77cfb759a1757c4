/**
 * A running time code out of filled boxes: drawtext needs a font, and not every machine (nor every ffmpeg) has one.
 * Seven segments a digit, each a `drawbox` that is on while its digit shows it.
 */

const DIGIT = { width: 26, height: 48, stroke: 6, advance: 36 } as const
/** Which segments a digit lights, top, upper right, lower right, bottom, lower left, upper left, middle. */
const SEGMENTS_OF_DIGIT = ['123456', '23', '12745', '12734', '6723', '16734', '165437', '123', '1234567', '123467']

type Box = { readonly x: number; readonly y: number; readonly width: number; readonly height: number }

/** Filters that burn `MM:SS:FF` in, its upper left corner at `x`, `y`. `framesPerSecond` must be the film's. */
export function clockFilters(options: { x: number; y: number; framesPerSecond: number }): string[] {
  const { x, y, framesPerSecond: rate } = options
  const { advance, height, width } = DIGIT
  const digits = [
    `mod(floor(n/${rate * 600}),10)`,
    `mod(floor(n/${rate * 60}),10)`,
    null,
    `mod(floor(n/${rate * 10}),6)`,
    `mod(floor(n/${rate}),10)`,
    null,
    `floor(mod(n,${rate})/10)`,
    `mod(mod(n,${rate}),10)`,
  ]
  const panel = { x: x - 18, y: y - 16, width: advance * digits.length - (advance - width) + 36, height: height + 32 }
  const drawn = digits.flatMap((value, at) => {
    const left = x + at * advance
    return value === null ? colon(left, y) : digit(left, y, value)
  })
  return [fill(panel, 'black@0.45'), ...drawn]
}

function digit(x: number, y: number, value: string): string[] {
  return segmentBoxes(x, y).map((box, at) => {
    const shownBy = SEGMENTS_OF_DIGIT.reduce(
      (mask, segments, number) => (segments.includes(String(at + 1)) ? mask | (1 << number) : mask),
      0,
    )
    return `${fill(box, 'white@0.92')}:enable='bitand(${shownBy},pow(2,${value}))'`
  })
}

function segmentBoxes(x: number, y: number): Box[] {
  const { width, height, stroke } = DIGIT
  const half = height / 2
  const bar = { width: width - 2 * stroke, height: stroke }
  const post = { width: stroke, height: half - 1.5 * stroke }
  const right = x + width - stroke
  const upper = y + stroke
  const lower = y + half + stroke / 2
  return [
    { x: x + stroke, y, ...bar },
    { x: right, y: upper, ...post },
    { x: right, y: lower, ...post },
    { x: x + stroke, y: y + height - stroke, ...bar },
    { x, y: lower, ...post },
    { x, y: upper, ...post },
    { x: x + stroke, y: y + half - stroke / 2, ...bar },
  ]
}

function colon(x: number, y: number): string[] {
  const { width, height, stroke } = DIGIT
  const left = x + (width - stroke) / 2
  return [height / 3, (2 * height) / 3].map((down) =>
    fill({ x: left, y: y + down - stroke / 2, width: stroke, height: stroke }, 'white@0.92'),
  )
}

function fill(box: Box, colour: string): string {
  const [x, y, width, height] = [box.x, box.y, box.width, box.height].map(Math.round)
  return `drawbox=x=${x}:y=${y}:w=${width}:h=${height}:color=${colour}:t=fill`
}
