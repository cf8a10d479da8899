// All dashboards; the first one opens by itself when there is only one.
import { Badge, Group, Stack, Text, TextInput, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { IconSearch } from '@tabler/icons-react'
import { useState, type ReactNode } from 'react'
import { Link } from 'react-router'
import { Empty, Failed, Loading } from '../components/States.tsx'
import { getJson, type SearchHit } from './api.ts'
import { BoardPage } from './BoardPage.tsx'

function useBoards(): { data: SearchHit[] | undefined; error: unknown } {
  return useQuery({ queryKey: ['search'], queryFn: () => getJson<SearchHit[]>('/api/search?type=dash-db') })
}

/** The start page: the only dashboard, or the list. */
export function Home(): ReactNode {
  const { data } = useBoards()
  return data?.length === 1 ? <BoardPage uid={data[0]!.uid} /> : <BoardList />
}

export function BoardList(): ReactNode {
  const { data, error } = useBoards()
  const [words, setWords] = useState('')
  if (error) return <Failed error={error} />
  if (!data) return <Loading />
  const shown = data.filter((hit) =>
    `${hit.title} ${hit.tags.join(' ')}`.toLowerCase().includes(words.toLowerCase()),
  )
  return (
    <Stack maw={820}>
      <Title order={1} size="h3">
        Dashboards
      </Title>
      <TextInput
        placeholder="Search by title or tag"
        aria-label="Search dashboards"
        leftSection={<IconSearch size={15} />}
        value={words}
        onChange={(event) => setWords(event.currentTarget.value)}
      />
      {shown.length === 0 && (
        <Empty title="No dashboards">
          Put Grafana JSON models into the folder that the provisioning file names.
        </Empty>
      )}
      {shown.map((hit) => (
        <Link key={hit.uid} to={hit.url} style={{ textDecoration: 'none' }}>
          <Group className="wf-panel" px="md" py="sm">
            <Text fw={600}>{hit.title}</Text>
            {hit.tags.map((tag) => (
              <Badge key={tag} variant="light">
                {tag}
              </Badge>
            ))}
          </Group>
        </Link>
      ))}
    </Stack>
  )
}
