// Syntax of Kubernetes' field and label selectors in their text form.

/** Throws for a field selector that the API server would not understand. */
export function checkFieldSelector(selector: string): void {
  if (selector === '') return
  for (const term of selector.split(/(?<!\\),/))
    if (term !== '' && !/^(?:[^\\=!]|\\.)*(?:!=|==?)(?:[^\\=]|\\.)*$/.test(term))
      throw new Error(`invalid selector: '${selector}'; can't understand '${term}'`)
}

const KEY = '(?:[a-z0-9A-Z](?:[a-z0-9A-Z.-]*[a-z0-9A-Z])?/)?[a-zA-Z0-9](?:[a-zA-Z0-9_.-]*[a-zA-Z0-9])?'
const VALUE = '(?:[a-zA-Z0-9](?:[a-zA-Z0-9_.-]*[a-zA-Z0-9])?)?'
const REQUIREMENT = new RegExp(
  `^\\s*(?:!?\\s*${KEY}|${KEY}\\s*(?:==?|!=)\\s*${VALUE}|${KEY}\\s*[<>]\\s*-?[0-9]+|` +
    `${KEY}\\s+(?:in|notin)\\s*\\(\\s*${VALUE}(?:\\s*,\\s*${VALUE})*\\s*\\))\\s*$`,
)

/** Throws for a label selector that the API server would not understand. */
export function checkLabelSelector(selector: string): void {
  if (selector.trim() === '') return
  // Commas inside of parentheses belong to a list of values.
  for (const requirement of selector.split(/,(?![^(]*\))/))
    if (requirement.length > 1024 || !REQUIREMENT.test(requirement))
      throw new Error(
        `unable to parse requirement: can't understand ${JSON.stringify(requirement.slice(0, 200))}`,
      )
}
