import { type ReactElement, useEffect, useLayoutEffect, useRef, useState, useSyncExternalStore } from 'react'
import { useNavigation } from '../../common/history.tsx'
import { Icon } from '../../common/icons.tsx'
import type { Home, Title } from '../api/types.ts'
import { titlePath } from '../route.ts'
import { Art } from '../shell/art.tsx'
import { useWatch } from '../shell/context.tsx'
import { announce } from './announce.ts'
import { type Controller, createController, type Snapshot } from './controller.ts'
import { Control, Controls } from './controls.tsx'
import { NO_TRACKS } from './engine.ts'
import { type Command, toCommand } from './keys.ts'
import { FIRST_STATE } from './machine.ts'
import { useFullscreen, useResting, useVolume } from './use-video.ts'

export { warmEngine } from './engine.ts'

const NOTHING_YET: Snapshot = { state: FIRST_STATE, tracks: NO_TRACKS, durationMs: 0 }

export default function PlayerPage({ titleId, fromStart }: { titleId: string; fromStart: boolean }): ReactElement {
  const [attempt, setAttempt] = useState(0)
  const [stage, setStage] = useState<HTMLElement | null>(null)
  const [video, setVideo] = useState<HTMLVideoElement | null>(null)
  const captionsLayer = useRef<HTMLDivElement>(null)
  const controller = useController({ titleId, fromStart: fromStart && attempt === 0, video, captionsLayer, attempt })
  const snapshot = useSnapshot(controller)
  const title = useTitle(titleId)
  const leave = useLeave(titleId)
  const volume = useVolume(video)
  const fullscreen = useFullscreen(stage)
  const { resting, wake } = useResting(stage)
  const [menus, setMenus] = useState(0)
  const { phase, failure } = snapshot.state
  const visible = !resting || menus > 0 || phase !== 'playing'

  useKeys(stage, (command) => {
    wake()
    if (controller === null || video === null) return
    run(command, { controller, video, snapshot, volume, fullscreen })
  })
  useEffect(() => stage?.focus(), [stage])

  return (
    <main
      ref={setStage}
      className={visible ? 'player' : 'player player-resting'}
      data-testid="player"
      data-phase={phase}
      data-height={snapshot.tracks.activeHeight ?? undefined}
      data-theme="dark"
      tabIndex={-1}
      aria-label={title === null ? 'Player' : `Player: ${title.name}`}
    >
      {title === null ? null : (
        <Art className={phase === 'opening' ? 'player-art' : 'player-art gone'} title={title} eager />
      )}
      {/* biome-ignore lint/a11y/useMediaCaption: captions come with the film, and are drawn into the layer below */}
      <video ref={setVideo} playsInline onClick={() => controller?.toggle()} onDoubleClick={fullscreen.toggle} />
      <div className="player-veil" aria-hidden="true" />
      <div ref={captionsLayer} className="player-captions" data-testid="captions-layer" />
      <header className="player-top">
        <Control name="Back" icon="back" testId="back" onPress={leave} />
        {title === null ? null : <h1>{title.name}</h1>}
      </header>
      <Middle snapshot={snapshot} onPlay={() => controller?.toggle()} />
      {failure === null ? null : (
        <section className="player-failure" role="alert" data-testid="error" data-code={failure.code}>
          <Icon name="warning" size={40} />
          <h2>{failure.heading}</h2>
          <p>{failure.advice}</p>
          <div className="notice-actions">
            {failure.retryable ? (
              <button type="button" className="button button-primary" onClick={() => setAttempt((count) => count + 1)}>
                Try again
              </button>
            ) : null}
            <button type="button" className="button" onClick={leave}>
              Back
            </button>
          </div>
        </section>
      )}
      {controller === null || video === null || failure !== null ? null : (
        <Controls
          snapshot={snapshot}
          controller={controller}
          video={video}
          volume={volume}
          fullscreen={fullscreen}
          onMenu={(open) => setMenus((count) => Math.max(0, count + (open ? 1 : -1)))}
        />
      )}
      <div className="hidden-text" role="status">
        {announce(snapshot)}
      </div>
    </main>
  )
}

/** What lies over the picture: the one button while the browser wants a press, a quiet ring while data is awaited. */
function Middle({ snapshot, onPlay }: { snapshot: Snapshot; onPlay: () => void }): ReactElement | null {
  const { phase, seeking } = snapshot.state
  if (phase === 'blocked') {
    return (
      <button type="button" className="player-start" data-testid="start" aria-label="Play" onClick={onPlay}>
        <Icon name="play" size={48} />
      </button>
    )
  }
  if (phase !== 'opening' && phase !== 'waiting' && !seeking) return null
  return <div className="player-ring" aria-hidden="true" />
}

type UseController = {
  titleId: string
  fromStart: boolean
  video: HTMLVideoElement | null
  captionsLayer: React.RefObject<HTMLDivElement | null>
  attempt: number
}

/** A controller for as long as the page shows this title; another attempt is another controller. */
function useController({ titleId, fromStart, video, captionsLayer, attempt }: UseController): Controller | null {
  const { api, resources } = useWatch()
  const [controller, setController] = useState<Controller | null>(null)
  // biome-ignore lint/correctness/useExhaustiveDependencies: `attempt` asks for a new one; `fromStart` is for its beginning only
  useLayoutEffect(() => {
    if (video === null || captionsLayer.current === null) return
    const layer = captionsLayer.current
    layer.replaceChildren()
    const created = createController({ api, titleId, fromStart, video, captionsLayer: layer, storage: localStorage })
    setController(created)
    return () => {
      // Once the last signal has arrived, home knows where this title stands.
      void created.close().then(() => resources.load('home', api.home))
    }
  }, [api, resources, titleId, video, attempt])
  return controller
}

function useSnapshot(controller: Controller | null): Snapshot {
  return useSyncExternalStore(
    (listener) => controller?.subscribe(listener) ?? (() => undefined),
    () => controller?.snapshot() ?? NOTHING_YET,
  )
}

/** The title's name and poster, from whichever page knew them, else asked for. */
function useTitle(titleId: string): Pick<Title, 'name' | 'posterUrl'> | null {
  const { api, resources } = useWatch()
  const key = `title ${titleId}`
  const title = useSyncExternalStore(resources.subscribe, () => resources.read<Title>(key).value)
  const hero = useSyncExternalStore(resources.subscribe, () => resources.read<Home>('home').value?.hero ?? null)
  const known = title ?? (hero?.id === titleId ? hero : null)
  const unknown = known === null
  useEffect(() => {
    if (unknown) void resources.load(key, () => api.title(titleId))
  }, [unknown, resources, api, key, titleId])
  const name = known?.name
  useEffect(() => {
    if (name === undefined) return
    const before = document.title
    document.title = `${name} – Tentpole`
    return () => {
      document.title = before
    }
  }, [name])
  return known
}

/** Back to where the viewer came from, or to the title's page when they came from outside. */
function useLeave(titleId: string): () => void {
  const navigation = useNavigation()
  return () => {
    const inside = (window.history.state as { inside?: boolean } | null)?.inside === true
    if (inside) window.history.back()
    else navigation.go(titlePath(titleId), { replace: true })
  }
}

function useKeys(stage: HTMLElement | null, onCommand: (command: Command) => void): void {
  const latest = useRef(onCommand)
  latest.current = onCommand
  useEffect(() => {
    if (stage === null) return
    const press = (event: KeyboardEvent): void => {
      if (event.defaultPrevented) return
      const { key, altKey: alt, ctrlKey: ctrl, metaKey: meta } = event
      const command = toCommand({ key, alt, ctrl, meta }, focusedKind())
      if (command === null) return
      event.preventDefault()
      latest.current(command)
    }
    document.addEventListener('keydown', press)
    return () => document.removeEventListener('keydown', press)
  }, [stage])
}

function focusedKind(): 'button' | 'slider' | 'menu' | null {
  const focused = document.activeElement
  const keys = focused?.closest<HTMLElement>('[data-keys]')?.dataset['keys']
  if (keys === 'slider' || keys === 'menu') return keys
  return focused instanceof HTMLButtonElement ? 'button' : null
}

type Reach = Omit<React.ComponentProps<typeof Controls>, 'onMenu'>

function run(command: Command, { controller, snapshot, volume, fullscreen }: Reach): void {
  const { captions, chosenCaptions } = snapshot.tracks
  switch (command.type) {
    case 'toggle':
      controller.toggle()
      break
    case 'skip':
      controller.seek(snapshot.state.positionMs + command.ms)
      break
    case 'volume':
      volume.set((volume.muted ? 0 : volume.level) + command.by)
      break
    case 'mute':
      volume.toggleMute()
      break
    case 'fullscreen':
      fullscreen.toggle()
      break
    case 'captions':
      controller.chooseCaptions(chosenCaptions === null ? (captions[0]?.id ?? null) : null)
  }
}
