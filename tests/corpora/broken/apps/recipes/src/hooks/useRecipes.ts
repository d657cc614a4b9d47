import { useEffect, useState } from 'react'
import { ApiError, searchRecipes } from '../api/client'
import type { Recipe, SearchOptions } from '../api/types'

interface RecipesState {
  recipes: Recipe[]
  loading: boolean
  error: string | null
}

export function useRecipes({ query, tag }: SearchOptions): RecipesState {
  const [state, setState] = useState<RecipesState>({ recipes: [], loading: true, error: null })

  useEffect(() => {
    let current = true
    async function load() {
      try {
        const recipes = await searchRecipes({ query, tag })
        // A slower answer to an older question is not shown.
        if (current) setState({ recipes, loading: false, error: null })
      } catch (error) {
        const message = error instanceof ApiError ? error.message : 'Something went wrong.'
        if (current) setState({ recipes: [], loading: false, error: message })
      }
    }
    void load()
    return () => {
      current = false
    }
  }, [query, tag])

  return state
}
