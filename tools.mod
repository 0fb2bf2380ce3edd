module github.com/watchfloor/watchfloor/tools

go 1.26.0
