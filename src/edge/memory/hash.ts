/** FNV-1a with murmur3's finish: 32 bits, for the ghost queue only, where a collision costs one wrong guess. */
export const hashOf = (text: string): number => {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return mixed(hash, 0)
}

/** The hash of a part of what `hash` stands for. */
export const mixed = (hash: number, part: number): number => {
  let mix = hash ^ Math.imul(part + 1, 0x9e3779b1)
  mix = Math.imul(mix ^ (mix >>> 16), 0x85ebca6b)
  mix = Math.imul(mix ^ (mix >>> 13), 0xc2b2ae35)
  return (mix ^ (mix >>> 16)) >>> 0
}
