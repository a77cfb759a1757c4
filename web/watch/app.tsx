import { lazy, type ReactElement, Suspense, useEffect, useRef } from 'react'
import { Link, useLocation } from '../common/history.tsx'
import { Mark } from '../common/icons.tsx'
import { HomePage } from './home/home.tsx'
import { loadPlayer } from './player-chunk.ts'
import { matchRoute, type Route, wantsStart } from './route.ts'
import { moveFocus, toDirection } from './shell/focus.ts'
import { Notice } from './shell/notice.tsx'
import { TitlePage } from './title/title.tsx'

const Player = lazy(loadPlayer)

export function App(): ReactElement {
  const location = useLocation()
  const route = matchRoute(location)
  useArrival(location)
  if (route.page !== 'watch') return <Browsing route={route} />
  return (
    <Suspense fallback={<div className="player-waiting" />}>
      <Player key={route.titleId} titleId={route.titleId} fromStart={wantsStart(location)} />
    </Suspense>
  )
}

/** Home and title pages: a top bar, and arrow keys that move the focus as a remote does. */
function Browsing({ route }: { route: Route }): ReactElement {
  const main = useRef<HTMLElement>(null)
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const direction = toDirection(event.key)
      if (direction === null || event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey) return
      if (main.current !== null && moveFocus(main.current, direction)) event.preventDefault()
    }
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  }, [])
  useEffect(() => {
    // Ahead of the press, and only once this page itself is there: a failed fetch is made again when play is pressed.
    const fetchAhead = (): void => {
      loadPlayer().catch(() => undefined)
    }
    const timer = setTimeout(fetchAhead, 200)
    return () => clearTimeout(timer)
  }, [])
  return (
    <>
      <a className="skip-link" href="#main">
        Skip to the films
      </a>
      <header className="top">
        <Link className="wordmark" href="/" aria-label="Tentpole, home">
          <Mark size={26} />
          Tentpole
        </Link>
      </header>
      <main id="main" ref={main} tabIndex={-1}>
        <Page route={route} />
      </main>
    </>
  )
}

function Page({ route }: { route: Route }): ReactElement {
  if (route.page === 'home') return <HomePage />
  if (route.page === 'title') return <TitlePage key={route.titleId} titleId={route.titleId} />
  return (
    <Notice
      heading="There is no such page"
      data-testid="error"
      actions={
        <Link className="button button-primary" href="/">
          All films
        </Link>
      }
    >
      The address is not quite right, or it led to something that is gone.
    </Notice>
  )
}

/** A screen reader starts at the heading of the page a link led to. */
function useArrival(location: string): void {
  const arrived = useRef(location)
  useEffect(() => {
    if (arrived.current === location) return
    arrived.current = location
    if (matchRoute(location).page === 'watch') return
    document.querySelector<HTMLElement>('main h1')?.focus({ preventScroll: true })
  }, [location])
}
