module limen-peers/idsec

go 1.26

require github.com/cyberark/idsec-sdk-golang v0.8.0
