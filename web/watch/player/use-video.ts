import { useEffect, useState } from 'react'
import { readPreferences, writePreferences } from './preferences.ts'

/** Volume as the viewer set it, kept for the next film. */
export type Volume = { readonly level: number; readonly muted: boolean; set(level: number): void; toggleMute(): void }

export function useVolume(video: HTMLVideoElement | null): Volume {
  const [known, setKnown] = useState({ level: 1, muted: false })
  useEffect(() => {
    if (video === null) return
    const kept = readPreferences(localStorage)
    video.volume = kept.volume
    video.muted = kept.muted
    const read = (): void => {
      setKnown({ level: video.volume, muted: video.muted })
      writePreferences(localStorage, { volume: video.volume, muted: video.muted })
    }
    setKnown({ level: video.volume, muted: video.muted })
    video.addEventListener('volumechange', read)
    return () => video.removeEventListener('volumechange', read)
  }, [video])
  return {
    ...known,
    set(level) {
      if (video === null) return
      video.volume = Math.min(1, Math.max(0, Math.round(level * 100) / 100))
      video.muted = video.volume === 0
    },
    toggleMute() {
      if (video === null) return
      if (video.muted && video.volume === 0) video.volume = 0.5
      video.muted = !video.muted
    },
  }
}

/** Whether `stage` fills the screen, and the way in and out. */
export function useFullscreen(stage: HTMLElement | null): { full: boolean; toggle: () => void } {
  const [full, setFull] = useState(false)
  useEffect(() => {
    const read = (): void => setFull(document.fullscreenElement !== null)
    document.addEventListener('fullscreenchange', read)
    return () => document.removeEventListener('fullscreenchange', read)
  }, [])
  const toggle = (): void => {
    // A browser may refuse (an embedding page, a policy): then the film simply stays where it is.
    if (document.fullscreenElement !== null) document.exitFullscreen().catch(() => undefined)
    else stage?.requestFullscreen?.().catch(() => undefined)
  }
  return { full, toggle }
}

const REST_MS = 3_000

/** Whether the viewer has touched nothing for three seconds. */
export function useResting(stage: HTMLElement | null): { resting: boolean; wake: () => void } {
  const [woken, setWoken] = useState(0)
  const [resting, setResting] = useState(false)
  // biome-ignore lint/correctness/useExhaustiveDependencies: every waking starts the rest anew
  useEffect(() => {
    setResting(false)
    const timer = setTimeout(() => setResting(true), REST_MS)
    return () => clearTimeout(timer)
  }, [woken])
  useEffect(() => {
    if (stage === null) return
    const wake = (): void => setWoken((count) => count + 1)
    const names = ['pointermove', 'pointerdown', 'keydown', 'focusin'] as const
    for (const name of names) stage.addEventListener(name, wake, { passive: true })
    return () => {
      for (const name of names) stage.removeEventListener(name, wake)
    }
  }, [stage])
  return { resting, wake: () => setWoken((count) => count + 1) }
}
