import type { ReactElement } from 'react'

/** One 24-unit grid, drawn for this product; stroked unless the shape is solid. All are decoration: the control carries the name. */
const STROKED = {
  back: 'M15 5l-7 7 7 7',
  forward: 'M9 5l7 7-7 7',
  close: 'M6 6l12 12M18 6L6 18',
  check: 'M5 12.5l4.5 4.5L19 7.5',
  captions: 'M3.5 5.5h17v13h-17zM10.5 10.4a2 2 0 1 0 0 3.2M17 10.4a2 2 0 1 0 0 3.2',
  quality: 'M4 7h9M17 7h3M4 17h3M11 17h9M15 4.5v5M9 14.5v5M4 12h16',
  fullscreen: 'M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5',
  windowed: 'M9 4v5H4M15 4v5h5M9 20v-5H4M15 20v-5h5',
  restart: 'M4 5v5h5M4.6 10A8 8 0 1 1 4 13.5',
  back10: 'M4 4.5v5h5M4.6 9.5A8 8 0 1 1 4 13',
  forward10: 'M20 4.5v5h-5M19.4 9.5A8 8 0 1 0 20 13',
  info: 'M12 11v5.5M12 7.5v.2M3.5 12a8.5 8.5 0 1 0 17 0a8.5 8.5 0 1 0-17 0',
  overview: 'M4 4h7v9H4zM13 4h7v5h-7zM13 11h7v9h-7zM4 15h7v5H4z',
  titles: 'M3.5 5h17v14h-17zM8 5v14M16 5v14M3.5 9.7H8M3.5 14.3H8M16 9.7h4.5M16 14.3h4.5',
  edge: 'M4 12a8 8 0 1 0 16 0a8 8 0 1 0-16 0M4 12h16M12 4c-5 5-5 11 0 16c5-5 5-11 0-16',
  events: 'M3 12h4l3-8 4 16 3-8h4',
  upload: 'M12 16V4.5M7 9.5l5-5 5 5M4 16v4h16v-4',
  copy: 'M9 9h11v11H9zM5.5 15H4V4h11v1.5',
  search: 'M4 10.5a6.5 6.5 0 1 0 13 0a6.5 6.5 0 1 0-13 0M15.5 15.5L20 20',
  external: 'M14 4h6v6M20 4l-9 9M10 5H4v15h15v-6',
  warning: 'M12 4L21.5 20h-19zM12 10v5M12 17.3v.2',
  up: 'M6 15l6-6 6 6',
  down: 'M6 9l6 6 6-6',
} as const

const SOLID = {
  play: 'M7 4.2v15.6c0 .8.9 1.3 1.6.8l11.6-7.8c.6-.4.6-1.2 0-1.6L8.6 3.4C7.9 2.9 7 3.4 7 4.2z',
  pause:
    'M6.5 4h3.5a.5.5 0 0 1 .5.5v15a.5.5 0 0 1-.5.5H6.5a.5.5 0 0 1-.5-.5v-15a.5.5 0 0 1 .5-.5zM14 4h3.5a.5.5 0 0 1 .5.5v15a.5.5 0 0 1-.5.5H14a.5.5 0 0 1-.5-.5v-15A.5.5 0 0 1 14 4z',
} as const

const SPEAKER = 'M4 9.5h3.5L12.5 5v14l-5-4.5H4z'
const WAVES = {
  loud: 'M15.5 9a4.2 4.2 0 0 1 0 6M18 6.5a7.8 7.8 0 0 1 0 11',
  quiet: 'M15.5 9a4.2 4.2 0 0 1 0 6',
  mute: 'M16 9.5l5 5M21 9.5l-5 5',
} as const

export type IconName = keyof typeof STROKED | keyof typeof SOLID | keyof typeof WAVES

export function Icon({ name, size = 24 }: { name: IconName; size?: number }): ReactElement {
  const rem = `${size / 16}rem`
  return (
    <svg viewBox="0 0 24 24" width={rem} height={rem} aria-hidden="true" focusable="false">
      {name in SOLID ? <path d={SOLID[name as keyof typeof SOLID]} fill="currentColor" /> : <Stroked name={name} />}
    </svg>
  )
}

function Stroked({ name }: { name: IconName }): ReactElement {
  const wave = name in WAVES ? WAVES[name as keyof typeof WAVES] : null
  return (
    <g fill="none" stroke="currentColor" strokeWidth="1.75" strokeLinecap="round" strokeLinejoin="round">
      {wave === null ? <path d={STROKED[name as keyof typeof STROKED]} /> : <path d={`${SPEAKER}${wave}`} />}
      {name === 'back10' || name === 'forward10' ? (
        <text x="12" y="16.2" fontSize="7.5" fontWeight="700" textAnchor="middle" fill="currentColor" stroke="none">
          10
        </text>
      ) : null}
    </g>
  )
}

/** The house's mark: a tent under its pole. */
export function Mark({ size = 24 }: { size?: number }): ReactElement {
  const rem = `${size / 16}rem`
  return (
    <svg viewBox="0 0 24 24" width={rem} height={rem} aria-hidden="true" focusable="false">
      <path d="M12 2.5 22 21h-5.2L12 11.2 7.2 21H2z" fill="var(--accent)" />
    </svg>
  )
}
