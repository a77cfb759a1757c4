import type { MouseEvent, ReactElement } from 'react'
import { formatClock } from '../../common/format.ts'
import { Icon } from '../../common/icons.tsx'
import { type Choice, ChoiceMenu } from './choice-menu.tsx'
import type { Controller, Snapshot } from './controller.ts'
import type { Tracks } from './engine.ts'
import { SKIP_MS } from './keys.ts'
import { SeekBar } from './seek-bar.tsx'
import type { Volume } from './use-video.ts'

type ControlsProps = {
  snapshot: Snapshot
  controller: Controller
  video: HTMLVideoElement
  volume: Volume
  fullscreen: { full: boolean; toggle: () => void }
  onMenu: (open: boolean) => void
}

export function Controls({ snapshot, controller, video, volume, fullscreen, onMenu }: ControlsProps): ReactElement {
  const { state, durationMs, tracks } = snapshot
  const { positionMs } = state
  const running = state.phase === 'playing' || state.phase === 'waiting'
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: nothing happens here but that the focus stays where it was
    <div className="controls" onMouseDown={keepFocus}>
      <SeekBar video={video} positionMs={positionMs} durationMs={durationMs} onSeek={controller.seek} />
      <div className="controls-row">
        <Control
          name={state.phase === 'ended' ? 'Play again' : running ? 'Pause' : 'Play'}
          icon={state.phase === 'ended' ? 'restart' : running ? 'pause' : 'play'}
          testId="toggle"
          onPress={controller.toggle}
        />
        <Control name="Back 10 seconds" icon="back10" onPress={() => controller.seek(positionMs - SKIP_MS)} />
        <Control name="Forward 10 seconds" icon="forward10" onPress={() => controller.seek(positionMs + SKIP_MS)} />
        <VolumeControl volume={volume} />
        <div className="clock" data-testid="clock">
          {formatClock(positionMs)} <span>/ {formatClock(durationMs)}</span>
        </div>
        <div className="controls-gap" />
        <ChoiceMenu
          name="Captions"
          icon="captions"
          testId="captions"
          choices={captionsChoices(tracks)}
          active={tracks.chosenCaptions !== null}
          onChoose={(key) => controller.chooseCaptions(key === OFF ? null : Number(key))}
          onOpen={onMenu}
        />
        <ChoiceMenu
          name="Quality"
          icon="quality"
          testId="quality"
          choices={qualityChoices(tracks)}
          active={false}
          onChoose={(key) => controller.chooseHeight(key === AUTO ? null : Number(key))}
          onOpen={onMenu}
        />
        <Control
          name={fullscreen.full ? 'Leave full screen' : 'Full screen'}
          icon={fullscreen.full ? 'windowed' : 'fullscreen'}
          testId="fullscreen"
          onPress={fullscreen.toggle}
        />
      </div>
    </div>
  )
}

/** A press of the mouse leaves the focus with the player: the space bar then pauses, whatever was pressed last. */
function keepFocus(event: MouseEvent<HTMLElement>): void {
  const own = (event.target as HTMLElement).closest('[data-keys="slider"]')
  if (own === null) event.preventDefault()
}

type ControlProps = {
  name: string
  icon: React.ComponentProps<typeof Icon>['name']
  testId?: string
  onPress: () => void
}

export function Control({ name, icon, testId, onPress }: ControlProps): ReactElement {
  return (
    <button type="button" className="control" aria-label={name} title={name} data-testid={testId} onClick={onPress}>
      <Icon name={icon} />
    </button>
  )
}

function VolumeControl({ volume }: { volume: Volume }): ReactElement {
  const level = volume.muted ? 0 : volume.level
  return (
    <div className="volume">
      <Control
        name={volume.muted ? 'Sound on' : 'Mute'}
        icon={level === 0 ? 'mute' : level < 0.5 ? 'quiet' : 'loud'}
        testId="mute"
        onPress={volume.toggleMute}
      />
      <input
        type="range"
        min={0}
        max={100}
        step={5}
        value={Math.round(level * 100)}
        style={{ '--level': level } as React.CSSProperties}
        aria-label="Volume"
        aria-valuetext={`${Math.round(level * 100)}%`}
        data-keys="slider"
        data-testid="volume"
        onChange={(event) => volume.set(Number(event.currentTarget.value) / 100)}
      />
    </div>
  )
}

const OFF = 'off'
const AUTO = 'auto'

export function captionsChoices(tracks: Tracks): Choice[] {
  if (tracks.captions.length === 0) return []
  const off: Choice = { key: OFF, label: 'Off', chosen: tracks.chosenCaptions === null }
  return [
    off,
    ...tracks.captions.map(({ id, label }) => ({ key: String(id), label, chosen: tracks.chosenCaptions === id })),
  ]
}

export function qualityChoices(tracks: Tracks): Choice[] {
  if (tracks.heights.length === 0) return []
  const { chosenHeight, activeHeight } = tracks
  const now = chosenHeight === null && activeHeight !== null ? { note: `${activeHeight}p now` } : {}
  const automatic: Choice = { key: AUTO, label: 'Auto', chosen: chosenHeight === null, ...now }
  return [
    automatic,
    ...tracks.heights.map((height) => ({ key: String(height), label: `${height}p`, chosen: chosenHeight === height })),
  ]
}
