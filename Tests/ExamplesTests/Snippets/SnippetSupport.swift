// What the snippets call, and what their readers have of their own.

func render(_ path: String, _ width: Int) throws -> [UInt8] { [] }
func render(_ page: Int) throws {}
func slowQuery() throws -> [String] { [] }
func fileSize(_ path: String) throws -> Int { path.count }
func touch(_ path: String) throws {}
func answer(_ request: String) throws -> String { request }
func read(_ path: String) throws -> String { path }
func lookUp(_ name: String) throws -> String { name }
func download(_ name: String) throws -> String { name }
