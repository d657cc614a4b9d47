export interface Ingredient {
  name: string
  amount: number
  unit: 'g' | 'ml' | 'piece'
}

export interface Recipe {
  id: string
  title: string
  minutes: number
  servings: number
  ingredients: Ingredient[]
  tags: string[]
  imageUrl: string | null
}

/** What the list shows of a recipe. */
export type RecipePreview = Pick<Recipe, 'id' | 'title' | 'minutes'>

export interface SearchOptions {
  query?: string
  tag?: string
  maxMinutes?: number
}
