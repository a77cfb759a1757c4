import {
  type AnchorHTMLAttributes,
  createContext,
  type MouseEvent,
  type ReactElement,
  type ReactNode,
  useContext,
  useSyncExternalStore,
} from 'react'

/** Where the page is, and how to go elsewhere without loading it again. */
export type Navigation = {
  /** Path and query. */
  location(): string
  go(to: string, options?: { replace?: boolean }): void
  subscribe(listener: () => void): () => void
}

/** A page keeps its `Navigation` for as long as it lives, so nothing here is ever taken down. */
export function createNavigation(page: Window): Navigation {
  const listeners = new Set<() => void>()
  const notify = (): void => {
    for (const listener of listeners) listener()
  }
  page.addEventListener('popstate', notify)
  return {
    location: () => page.location.pathname + page.location.search,
    go(to, { replace = false } = {}) {
      if (replace) page.history.replaceState(null, '', to)
      else {
        page.history.pushState({ inside: true }, '', to)
        page.scrollTo(0, 0)
      }
      notify()
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

const NavigationContext = createContext<Navigation | null>(null)

export function NavigationProvider(props: { navigation: Navigation; children: ReactNode }): ReactElement {
  return <NavigationContext value={props.navigation}>{props.children}</NavigationContext>
}

export function useNavigation(): Navigation {
  const navigation = useContext(NavigationContext)
  if (navigation === null) throw new Error('useNavigation needs a NavigationProvider above it')
  return navigation
}

export function useLocation(): string {
  const navigation = useNavigation()
  return useSyncExternalStore(navigation.subscribe, navigation.location)
}

type LinkProps = AnchorHTMLAttributes<HTMLAnchorElement> & { href: string; 'data-testid'?: string }

/** An ordinary link that stays in the page when pressed plainly; new tab, new window and download keep working. */
export function Link({ href, onClick, ...rest }: LinkProps): ReactElement {
  const navigation = useNavigation()
  const press = (event: MouseEvent<HTMLAnchorElement>): void => {
    onClick?.(event)
    if (event.defaultPrevented || event.button !== 0) return
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
    event.preventDefault()
    navigation.go(href)
  }
  return <a href={href} onClick={press} {...rest} />
}
