/** The language by its own name. */
export default 'हिन्दी'
