/** Text whose case does not matter: Unicode's default mapping to upper case, of no language, which does not look at neighbours as the one to lower case does. */
export const foldCase = (text: string): string => text.toUpperCase()
