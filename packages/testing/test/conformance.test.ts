import { reference } from '@tessella/testing'
import { conformance } from '@tessella/testing/conformance'

// The reference against itself proves that every case builds, runs and compares; its values are tested elsewhere.
conformance({ name: 'reference', create: async () => reference() })
