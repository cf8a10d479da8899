// Silences: what is muted, by whom, until when; making and ending them.
import { Badge, Button, Group, Stack, Table, Text, TextInput, Textarea, Title } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { parseDuration } from '@watchfire/datamodel'
import { useState, type ReactNode } from 'react'
import { useSearchParams } from 'react-router'
import type { LabelSet } from '../api/client.ts'
import { formatTime } from '../api/format.ts'
import { Empty, Failed, Loading } from '../components/States.tsx'
import { am, matcherText, type Silence } from './api.ts'

const STATE_COLOR = { active: 'orange', pending: 'blue', expired: 'gray' } as const

export function SilencesPage(): ReactNode {
  const [params, setParams] = useSearchParams()
  const client = useQueryClient()
  const { data, error } = useQuery({
    queryKey: ['silences'],
    queryFn: () => am<Silence[]>('/api/v2/silences'),
    refetchInterval: 10_000,
  })
  const [failure, setFailure] = useState<unknown>()
  const refresh = (): Promise<void> => client.invalidateQueries({ queryKey: ['silences'] })
  const expire = async (id: string): Promise<void> => {
    try {
      await am(`/api/v2/silence/${id}`, { method: 'DELETE' })
      await refresh()
    } catch (problem) {
      setFailure(problem)
    }
  }
  const wanted = params.get('labels')
  if (!data) return error ? <Failed error={error} /> : <Loading />
  return (
    <Stack>
      {error && <Failed error={error} />}
      <Group justify="space-between">
        <Title order={1} size="h3">
          Silences
        </Title>
        {wanted === null && (
          <Button size="xs" onClick={() => setParams({ labels: '{}' })}>
            New silence
          </Button>
        )}
      </Group>
      {failure !== undefined && <Failed error={failure} />}
      {wanted !== null && (
        <NewSilence
          labels={readLabels(wanted)}
          onDone={() => {
            setParams({})
            void refresh()
          }}
        />
      )}
      {data.length === 0 && <Empty title="No silences" />}
      {data.length > 0 && (
        <section className="wf-panel">
          <Table.ScrollContainer minWidth={700}>
            <Table>
              <Table.Tbody>
                {data.map((silence) => (
                  <Table.Tr key={silence.id}>
                    <Table.Td w={90}>
                      <Badge color={STATE_COLOR[silence.status.state]} variant="light">
                        {silence.status.state}
                      </Badge>
                    </Table.Td>
                    <Table.Td>
                      <Text size="sm" className="wf-mono wf-break">
                        {silence.matchers.map(matcherText).join(', ')}
                      </Text>
                      <Text size="xs" c="dimmed" className="wf-break">
                        {silence.comment} · {silence.createdBy}
                      </Text>
                    </Table.Td>
                    <Table.Td w={210}>until {formatTime(Date.parse(silence.endsAt))}</Table.Td>
                    <Table.Td w={90} ta="right">
                      {silence.status.state !== 'expired' && (
                        <Button
                          size="compact-xs"
                          variant="subtle"
                          color="red"
                          onClick={() => void expire(silence.id)}
                        >
                          Expire
                        </Button>
                      )}
                    </Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </Table.ScrollContainer>
        </section>
      )}
    </Stack>
  )
}

function readLabels(text: string): LabelSet {
  try {
    return Object.fromEntries(
      Object.entries(JSON.parse(text) as object).map(([name, value]) => [name, String(value)]),
    )
  } catch {
    return {}
  }
}

const MATCHER = /^\s*([^=!~\s]+)\s*(=~|!~|!=|=)\s*"?(.*?)"?\s*$/

function NewSilence({ labels, onDone }: { labels: LabelSet; onDone: () => void }): ReactNode {
  const [matchers, setMatchers] = useState(() =>
    Object.entries(labels)
      .map(([name, value]) => `${name}="${value}"`)
      .join('\n'),
  )
  const [duration, setDuration] = useState('2h')
  const [createdBy, setCreatedBy] = useState(() => localStorage.getItem('watchfire.creator') ?? '')
  const [comment, setComment] = useState('')
  const [problem, setProblem] = useState<unknown>()
  const save = async (): Promise<void> => {
    try {
      const parsed = matchers
        .split('\n')
        .filter((line) => line.trim() !== '')
        .map((line) => {
          const [, name, operator, value] = MATCHER.exec(line) ?? []
          if (name === undefined || operator === undefined || value === undefined)
            throw new Error(
              `not a matcher: ${line}. Write name="value", name!="value", name=~"regex" or name!~"regex".`,
            )
          return { name, value, isRegex: operator.endsWith('~'), isEqual: !operator.startsWith('!') }
        })
      const startsAt = new Date()
      const endsAt = new Date(startsAt.getTime() + parseDuration(duration))
      localStorage.setItem('watchfire.creator', createdBy)
      await am('/api/v2/silences', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ matchers: parsed, startsAt, endsAt, createdBy, comment }),
      })
      onDone()
    } catch (error) {
      setProblem(error)
    }
  }
  return (
    <section className="wf-panel">
      <Stack p="md" maw={720}>
        <Textarea
          label="Matchers, one a line"
          autosize
          minRows={2}
          value={matchers}
          onChange={(event) => setMatchers(event.currentTarget.value)}
          styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
        />
        <Group grow align="flex-start">
          <TextInput
            label="Duration"
            value={duration}
            onChange={(event) => setDuration(event.currentTarget.value)}
          />
          <TextInput
            label="Creator"
            value={createdBy}
            onChange={(event) => setCreatedBy(event.currentTarget.value)}
          />
        </Group>
        <TextInput
          label="Comment"
          value={comment}
          onChange={(event) => setComment(event.currentTarget.value)}
        />
        {problem !== undefined && <Failed error={problem} title="The silence was not made" />}
        <Group>
          <Button
            onClick={() => void save()}
            disabled={matchers.trim() === '' || createdBy === '' || comment === ''}
          >
            Create silence
          </Button>
          <Button variant="subtle" color="gray" onClick={onDone}>
            Cancel
          </Button>
        </Group>
      </Stack>
    </section>
  )
}
