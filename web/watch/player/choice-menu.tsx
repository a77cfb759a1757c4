import { type KeyboardEvent, type ReactElement, useEffect, useId, useRef, useState } from 'react'
import { Icon, type IconName } from '../../common/icons.tsx'

export type Choice = { readonly key: string; readonly label: string; readonly note?: string; readonly chosen: boolean }

type ChoiceMenuProps = {
  name: string
  icon: IconName
  testId: string
  choices: readonly Choice[]
  active: boolean
  onChoose: (key: string) => void
  /** Controls stay in sight while a menu is open. */
  onOpen: (open: boolean) => void
}

/** A button with a menu of which exactly one entry is chosen (WAI-ARIA menu button with radio items). */
export function ChoiceMenu(props: ChoiceMenuProps): ReactElement {
  const { name, icon, testId, choices, active, onChoose, onOpen } = props
  const [open, setOpen] = useState(false)
  const root = useRef<HTMLDivElement>(null)
  const menuId = useId()
  const show = (next: boolean): void => {
    setOpen(next)
    onOpen(next)
  }
  // Back to where the focus was: to the button for who came by keyboard, to the player for who came by mouse.
  const before = useRef<HTMLElement | null>(null)
  const toggle = (): void => {
    before.current = document.activeElement as HTMLElement | null
    show(!open)
  }
  const close = (): void => {
    show(false)
    before.current?.focus()
  }
  const choose = (key: string): void => {
    onChoose(key)
    close()
  }
  useOutsidePress(root, open, () => show(false))
  useEffect(() => {
    if (open) root.current?.querySelector<HTMLElement>('[aria-checked="true"]')?.focus()
  }, [open])

  return (
    <div className="choice" ref={root}>
      <button
        type="button"
        className={active ? 'control control-active' : 'control'}
        data-testid={`${testId}-button`}
        aria-label={name}
        aria-haspopup="menu"
        aria-expanded={open}
        aria-controls={open ? menuId : undefined}
        disabled={choices.length === 0}
        onClick={toggle}
      >
        <Icon name={icon} />
      </button>
      {open ? (
        <div
          id={menuId}
          className="menu"
          role="menu"
          tabIndex={-1}
          aria-label={name}
          data-testid={testId}
          data-keys="menu"
          onKeyDown={(event) => onMenuKey(event, close)}
        >
          <div className="menu-name" aria-hidden="true">
            {name}
          </div>
          {choices.map((choice) => (
            <button
              key={choice.key}
              type="button"
              role="menuitemradio"
              tabIndex={-1}
              aria-checked={choice.chosen}
              data-testid={`${testId}-choice`}
              data-choice={choice.key}
              onClick={() => choose(choice.key)}
            >
              <span className="menu-check">{choice.chosen ? <Icon name="check" size={18} /> : null}</span>
              {choice.label}
              {choice.note === undefined ? null : <span className="menu-note">{choice.note}</span>}
            </button>
          ))}
        </div>
      ) : null}
    </div>
  )
}

function onMenuKey(event: KeyboardEvent<HTMLElement>, close: () => void): void {
  const items = [...event.currentTarget.querySelectorAll<HTMLElement>('[role="menuitemradio"]')]
  const at = items.indexOf(document.activeElement as HTMLElement)
  const moves: Readonly<Record<string, number>> = {
    ArrowDown: (at + 1) % items.length,
    ArrowUp: (at - 1 + items.length) % items.length,
    Home: 0,
    End: items.length - 1,
  }
  if (event.key === 'Escape' || event.key === 'Tab') {
    event.preventDefault()
    event.stopPropagation()
    close()
  } else if (Object.hasOwn(moves, event.key)) {
    event.preventDefault()
    event.stopPropagation()
    items[moves[event.key] ?? 0]?.focus()
  }
}

function useOutsidePress(root: React.RefObject<HTMLElement | null>, open: boolean, onPress: () => void): void {
  // biome-ignore lint/correctness/useExhaustiveDependencies: what to do is new at every render, when to listen is not
  useEffect(() => {
    if (!open) return
    const press = (event: Event): void => {
      if (!root.current?.contains(event.target as Node)) onPress()
    }
    document.addEventListener('pointerdown', press)
    return () => document.removeEventListener('pointerdown', press)
  }, [root, open])
}
