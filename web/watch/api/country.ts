/** The country a browser's languages speak of: the first with a region, else `US`. */
export function countryOf(languages: readonly string[]): string {
  for (const language of languages) {
    const region = regionOf(language)
    if (region !== undefined && /^[A-Z]{2}$/.test(region)) return region
  }
  return 'US'
}

function regionOf(language: string): string | undefined {
  try {
    return new Intl.Locale(language).region
  } catch {
    return undefined
  }
}
